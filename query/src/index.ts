export { type Query, type QueryDependencies, startQuery } from "./compose.ts";
export { type QueryConfig, queryConfig } from "./config.ts";
export {
  type ConflictFound,
  latestConflicts,
  latestConflictsMax,
  type SeriesDuplicates,
} from "./latest-conflicts.ts";
export { createMemoryReadingStore, type MemoryReadingStore } from "./memory-reading-store.ts";
export { queryMetrics } from "./metrics.ts";
export type { ReadingPartial } from "./partial.ts";
export { allTime, isCoarsePure, type PlannedRead, planRead, repeatsNeeded, type Span } from "./planner.ts";
export type {
  PartialsRead,
  ReadingKey,
  ReadingStore,
  ReadPlan,
  RepairScan,
  RepeatsPlan,
  Scan,
  SeriesFilter,
  SeriesName,
  SeriesPartial,
  SeriesScan,
  SeriesSpan,
  StoreHorizon,
  StoreStatus,
  WindowRepeats,
} from "./reading-store.ts";
export { queryRoutes } from "./routes.ts";
