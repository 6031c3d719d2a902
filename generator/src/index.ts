export { type Clock, systemClock } from "./clock.ts";
export { generatorEnvironment } from "./environment.ts";
export { type FaultPlan, noFaults } from "./fault-plan.ts";
export { createGenerator, type Generator, type GeneratorOptions, type GeneratorState } from "./generator.ts";
export { type IngestTls, readIngestTls } from "./ingest-tls.ts";
export { generatorMetrics, registerGeneratorMetrics } from "./metrics.ts";
export type { OutboxCounts, OutboxLimits } from "./outbox.ts";
export type { PlayRequest } from "./play-request.ts";
export { openRecording, RecordingError } from "./recording.ts";
export {
  type BadRow,
  type ReplayOptions,
  type ReplayProgress,
  type ReplaySummary,
  replayFile,
} from "./replay.ts";
export { type ReplayTimes, replayTimes } from "./replay-times.ts";
export { generatorRoutes } from "./routes.ts";
export { createStatusLine, type Output } from "./status-line.ts";
export { replayProgressText, replaySummaryText } from "./texts.ts";
