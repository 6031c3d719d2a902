import {
  type Clock,
  createIngestClient,
  createOutbox,
  createRandom,
  type IngestTls,
  type StoredBefore,
  type UnitSender,
} from "@devicemesh/client";
import type { SensorCatalog } from "@devicemesh/proto";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import { unitReadings } from "../limits.ts";
import { createGiveUp } from "./give-up.ts";

/** The destination of readings: ingest, through an outbox. */
export type Delivery = {
  /** Adds a reading; returns false if the outbox is full: await `capacity`. */
  add(deviceId: string, sensorCode: number, timestampMs: number, value: number): boolean;
  capacity(signal: AbortSignal): Promise<void>;
  flush(signal: AbortSignal): Promise<void>;
  /** What ingest has answered so far. */
  answered(): Answered;
  /** The first rejected readings. */
  refusedReadings(): readonly RefusedReading[];
  /** Why ingest is unavailable at the moment; undefined if it is available. */
  trouble(): string | undefined;
  close(): Promise<void>;
};

/** Numbers of readings by the answers of ingest. */
export type Answered = {
  /** Durably stored, by this import or before. */
  readonly acked: number;
  /** Of these, stored before. */
  readonly storedBefore: StoredBefore;
  readonly refused: number;
  /** Acknowledged readings a second. */
  readonly perSecond: number;
};

/** How readings are sent to ingest. */
export type DeliveryOptions = {
  /** host:port of ingest. */
  readonly to: string;
  /** Cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  /** Its codes are those of the readings. */
  readonly catalog: SensorCatalog;
  /** Gives up if ingest has failed for this time without an answer, in milliseconds; never by default. */
  readonly giveUpAfterMs?: number | undefined;
  readonly clock: Clock;
  /** Replaces a client of `to`. */
  readonly sender?: UnitSender | undefined;
  /** Called when a retry cannot succeed. */
  onGiveUp(): void;
};

/** Opens the delivery. It does not connect before the first reading. */
export function openDelivery({
  to,
  tls,
  catalog,
  giveUpAfterMs,
  clock,
  sender,
  onGiveUp,
}: DeliveryOptions): Delivery {
  const { observe, trouble } = createGiveUp({ clock, giveUpAfterMs, onGiveUp });
  const outbox = createOutbox({
    sender: sender ?? createIngestClient({ target: to, tls, clock }),
    clock,
    sensors: catalog.sensors,
    random: createRandom(BigInt(Math.floor(clock.nowMs())), 0),
    whenFull: "wait",
    limits: { unitReadings },
    observe,
  });

  return {
    add: outbox.add,
    capacity: outbox.capacity,
    flush: outbox.flush,
    answered() {
      const { acked, storedBefore, refused, ackedPerSecond } = outbox.counts();
      return { acked, storedBefore, refused, perSecond: ackedPerSecond };
    },
    refusedReadings: outbox.refusedReadings,
    trouble,
    close: async () => {
      await outbox.close({ limitMs: 0 });
    },
  };
}
