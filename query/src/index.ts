export { latestReadings } from "./api/latest-readings.ts";
export { queryRoutes } from "./api/routes.ts";
export { type BucketGrid, bucketExpression, bucketStart } from "./calendar/bucket-grid.ts";
export { type QueryConfig, queryConfig } from "./limits.ts";
export { queryMetrics } from "./metrics.ts";
export { createColumnMerge } from "./plan/column-merge.ts";
export type { ColumnMerge, MergedColumns, ReadingRows } from "./plan/column-sums.ts";
export type { ReadingPartial } from "./plan/merge.ts";
export {
  allTime,
  duplicateWindowsNeeded,
  isCoarsePure,
  type PlannedRead,
  planRead,
  type Span,
} from "./plan/planner.ts";
export { isInScan } from "./plan/spans.ts";
export { fitsColumns, type WindowColumns } from "./plan/window-columns.ts";
export { addSketchBytes, countOfSketches, sketchBytes } from "./quantiles/sketch-bytes.ts";
export { cutScan, expiredSpans, type SketchGap, widerGap } from "./quantiles/sketch-gaps.ts";
export {
  addValues,
  bucketOffset,
  bucketShift,
  valueBucket,
  zeroBelow,
} from "./quantiles/value-buckets.ts";
export { type Query, type QueryDependencies, startQuery } from "./start.ts";
export {
  type ConflictFound,
  latestConflicts,
  latestConflictsMax,
  type SeriesDuplicates,
} from "./store/latest-conflicts.ts";
export {
  columnPieces,
  expiredMeanwhile,
  type ReadingColumns,
  type ReadingScan,
  scanPieceRowsMax,
} from "./store/reading-scan.ts";
export type {
  DuplicatesPlan,
  DuplicateWindow,
  PartialsRead,
  ReadingKey,
  ReadingStore,
  ReadPlan,
  RepairScan,
  Scan,
  SeriesFilter,
  SeriesName,
  SeriesPartial,
  SeriesScan,
  SeriesSpan,
} from "./store/reading-store.ts";
export { type LatestSeriesFound, type LatestSeriesRequest, searchMatcher } from "./store/series-request.ts";
export { createSeriesSelection } from "./store/series-selection.ts";
export {
  firstSketchedLevel,
  type SeriesSketch,
  type SketchesRead,
} from "./store/sketch-reads.ts";
export type { StoreHorizon, StoreStatus } from "./store/store-status.ts";
