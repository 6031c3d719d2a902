import { laneOf, systemClock, type UnitSender, wait } from "@devicemesh/client";
import type { Backoff } from "@devicemesh/kit/lifetime/backoff";
import type { GatewayReading } from "../readings/gateway-reading.ts";
import { type AttemptFailure, createBatchSender } from "./batch-sender.ts";
import { createParcel, type Outcome, type Parcel } from "./parcel.ts";

/** The bounds of the queue in front of ingest. */
export type DeliveryLimits = {
  /** Maximum number of queued and sent readings; the delivery rejects more. */
  readonly readingsMax: number;
  /** Maximum number of readings in one call to ingest; at most 1000. */
  readonly batchReadings: number;
  /** Maximum number of concurrent calls to ingest, each with readings of other devices. */
  readonly lanes: number;
  readonly backoff: Backoff;
  /** Delay that senders are asked for when the queue is full, in ms. */
  readonly retryAfterMs: number;
};

/** The counts of the delivery so far. */
export type DeliveryCounts = {
  readonly stored: number;
  readonly rejected: number;
  /** Readings whose sender was asked to retry. */
  readonly unavailable: number;
  /** Readings that are queued or being sent. */
  readonly waiting: number;
  readonly failedAttempts: number;
};

/** Sends readings to ingest and reports the outcome of each. */
export type Delivery = {
  /**
   * Resolves when each reading is durably stored or rejected, or after `waitMs`; in that case some of them may be
   * stored. Never rejects. Without `waitMs`, the readings are sent until they are acknowledged or the delivery is
   * closed. Readings of one series that are submitted one after the other are stored in that order.
   */
  submit(readings: readonly GatewayReading[], options?: { readonly waitMs?: number }): Promise<Outcome>;
  /** Whether another reading is accepted now. */
  hasCapacity(): boolean;
  /** Resolves to true when the queue has capacity, and to false when the delivery is closed. */
  capacity(): Promise<boolean>;
  /** Whether the last call to ingest succeeded; true before the first. */
  isReachable(): boolean;
  counts(): DeliveryCounts;
  /** Accepts no more readings, waits at most `limitMs` for those in progress, and ends. Closing again has no effect. */
  close(options: { readonly limitMs: number }): Promise<void>;
};

type Lane = { readonly queue: Parcel[]; running: Promise<void> | undefined };

/**
 * Creates the delivery to the ingest behind `sender`. While a call of a lane is in progress, its next readings gather,
 * so batches grow with the load and a single reading does not wait.
 */
export function createDelivery({
  sender,
  limits,
  random = Math.random,
  onAttempt = () => {},
}: {
  readonly sender: UnitSender;
  readonly limits: DeliveryLimits;
  readonly random?: () => number;
  /** Called after each call to ingest; without a failure if it succeeded. */
  onAttempt?(failure: AttemptFailure | undefined): void;
}): Delivery {
  const lanes = Array.from({ length: limits.lanes }, (): Lane => ({ queue: [], running: undefined }));
  const ending = new AbortController();
  const capacityWaiters = new Set<() => void>();
  let isClosed = false;
  let isReachable = true;
  let waiting = 0;
  const counts = { stored: 0, rejected: 0, unavailable: 0, failedAttempts: 0 };
  const sendBatch = createBatchSender({
    sender,
    limits,
    random,
    onAttempt(failure) {
      isReachable = failure === undefined || failure.isRejection;
      if (failure !== undefined) counts.failedAttempts += 1;
      onAttempt(failure);
    },
  });

  function left(parcel: Parcel): void {
    waiting -= parcel.readings.length;
    if (waiting >= limits.readingsMax) return;
    for (const resolve of capacityWaiters) resolve();
    capacityWaiters.clear();
  }

  /** Sends the lane's readings, one batch after the other, until it is empty. */
  async function run(lane: Lane): Promise<void> {
    while (lane.queue.length > 0) {
      const parcels: Parcel[] = [];
      let size = 0;
      while (lane.queue[0] && (size === 0 || size + lane.queue[0].readings.length <= limits.batchReadings)) {
        const parcel = lane.queue.shift()!;
        parcels.push(parcel);
        size += parcel.readings.length;
      }
      const unsent = await sendBatch(parcels, ending.signal);
      for (const parcel of parcels) {
        if (unsent.has(parcel)) parcel.giveUp();
        else parcel.end();
        left(parcel);
      }
    }
    lane.running = undefined;
  }

  return {
    async submit(readings, { waitMs } = {}) {
      if (isClosed) return unavailable("the gateway is stopping");
      if (readings.length === 0) return { kind: "done", rejected: [] };
      if (waiting >= limits.readingsMax) return unavailable("the gateway's queue is full");
      const outcomes: Promise<Outcome>[] = [];
      const byLane = Map.groupBy(readings.keys(), (index) => laneOf(readings[index]!.deviceId, lanes.length));
      for (const [laneIndex, indexes] of byLane) {
        const lane = lanes[laneIndex]!;
        for (let from = 0; from < indexes.length; from += limits.batchReadings) {
          const part = indexes.slice(from, from + limits.batchReadings);
          const parcel = createParcel({
            readings: part.map((index) => readings[index]!),
            places: part,
            waitMs,
            limits,
          });
          waiting += part.length;
          lane.queue.push(parcel);
          outcomes.push(parcel.outcome);
        }
        lane.running ??= run(lane);
      }
      return counted(readings.length, merged(await Promise.all(outcomes)));
    },
    hasCapacity: () => !isClosed && waiting < limits.readingsMax,
    async capacity() {
      if (!isClosed && waiting >= limits.readingsMax) {
        await new Promise<void>((resolve) => capacityWaiters.add(resolve));
      }
      return !isClosed;
    },
    isReachable: () => isReachable,
    counts: () => ({ ...counts, waiting }),
    async close({ limitMs }) {
      isClosed = true;
      const running = Promise.all(lanes.map((lane) => lane.running));
      const limit = new AbortController();
      await Promise.race([running, wait({ clock: systemClock, delayMs: limitMs, signal: limit.signal })]);
      limit.abort();
      ending.abort();
      await running;
      for (const resolve of capacityWaiters) resolve();
      sender.close();
    },
  };

  function unavailable(message: string): Outcome {
    return { kind: "unavailable", message, retryAfterMs: limits.retryAfterMs };
  }
  function counted(size: number, outcome: Outcome): Outcome {
    if (outcome.kind === "done") {
      counts.rejected += outcome.rejected.length;
      counts.stored += size - outcome.rejected.length;
    } else counts.unavailable += size;
    return outcome;
  }
}

function merged(outcomes: readonly Outcome[]): Outcome {
  const failure = outcomes.find(({ kind }) => kind === "unavailable");
  if (failure) return failure;
  const rejected = outcomes.flatMap((outcome) => (outcome.kind === "done" ? outcome.rejected : []));
  return { kind: "done", rejected: rejected.sort((a, b) => a.index - b.index) };
}
