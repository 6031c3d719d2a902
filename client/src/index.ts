export { type Clock, systemClock, wait } from "./clock.ts";
export { createIngestClient, resultOf } from "./delivery/ingest-client.ts";
export { type IngestTls, readIngestTls } from "./delivery/ingest-tls.ts";
export type { StoredBefore } from "./delivery/stored-before.ts";
export type { SendFailure, SendResult, Unit, UnitSender } from "./delivery/unit.ts";
export {
  createOutbox,
  type Outbox,
  type OutboxCounts,
  type OutboxEvent,
  type OutboxLimits,
} from "./outbox/outbox.ts";
export { laneOf } from "./outbox/outbox-lane.ts";
export { openSpill, type Spill } from "./outbox/spill.ts";
export { createRandom, type Random, randomKey } from "./random.ts";
