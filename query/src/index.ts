export { type Query, type QueryDependencies, startQuery } from "./compose.ts";
export { type QueryConfig, queryConfig } from "./config.ts";
export { createMemoryReadingStore, type MemoryReadingStore } from "./memory-reading-store.ts";
export type { ReadingPartial } from "./partial.ts";
export { allTime, type PlannedRead, planRead, type Span } from "./planner.ts";
export type {
  ReadingKey,
  ReadingStore,
  ReadPlan,
  Scan,
  SeriesFilter,
  SeriesPartial,
  StoreHorizon,
  StoreStatus,
} from "./reading-store.ts";
export { queryRoutes } from "./routes.ts";
