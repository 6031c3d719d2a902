export { type Ingest, type IngestDependencies, startIngest } from "./compose.ts";
export { defaultIngestConfig, type IngestConfig, ingestConfig } from "./config.ts";
export type { IngestStats } from "./counters.ts";
export { createMemoryMessageLog, type MemoryMessageLog, memoryLogSentinels } from "./memory-message-log.ts";
export type { MessageBatch, MessageLog } from "./message-log.ts";
export { ingestLogMetrics, ingestMetrics } from "./metrics.ts";
export type { AdmitOlder, AdmitSeries } from "./reading-checks.ts";
