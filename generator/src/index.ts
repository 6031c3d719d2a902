export { createStatusLine, type Output } from "@devicemesh/import/report/status-line";
export { generatorEnvironment } from "./environment.ts";
export { type FaultPlan, noFaults } from "./faults/fault-plan.ts";
export { createGenerator, type Generator, type GeneratorOptions, type GeneratorState } from "./generator.ts";
export { generatorMetrics, registerGeneratorMetrics } from "./metrics.ts";
export { openRecording, RecordingError } from "./replay/recording.ts";
export {
  type BadRow,
  type ReplayOptions,
  type ReplayProgress,
  type ReplaySummary,
  replayFile,
} from "./replay/replay.ts";
export { type ReplayTimes, replayTimes } from "./replay/replay-times.ts";
export { generatorRoutes } from "./serve/routes.ts";
export { backfill } from "./simulate/backfill.ts";
export type { SimulationRequest } from "./simulate/simulation-request.ts";
export { replayProgressText, replaySummaryText } from "./texts.ts";
