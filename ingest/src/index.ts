export type { AdmitOlder, AdmitSeries } from "./checks/reading-checks.ts";
export type { IngestStats } from "./counters.ts";
export { defaultIngestConfig, type IngestConfig, ingestConfig } from "./limits.ts";
export type { Appended, MessageBatch, MessageLog } from "./log/message-log.ts";
export { ingestLogMetrics, ingestMetrics } from "./metrics.ts";
export type { PublishInProcess } from "./publish/publish-in-process.ts";
export { type Ingest, type IngestDependencies, startIngest } from "./start.ts";
