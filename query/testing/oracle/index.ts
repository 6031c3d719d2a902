export { ask } from "./ask.ts";
export type { Exam } from "./asking.ts";
export { tolerances } from "./differences.ts";
export { describeExactAnswers, type ExactAnswersEngine, type ExactAnswersOptions } from "./exact-answers.ts";
export { exactSum } from "./exact-sum.ts";
export {
  type Answer,
  type Bound,
  createOracle,
  type Oracle,
  type OracleBucket,
  type OracleGrouping,
  type OracleRow,
  type Question,
} from "./oracle.ts";
export { type CallPlan, type QuestionPlan, questionOf, questionPlans } from "./questions.ts";
export { deviceIds, type ReadingPlan, readingOf, readingPlans } from "./streams.ts";
