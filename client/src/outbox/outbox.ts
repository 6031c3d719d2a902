import { type Backoff, defaultBackoff } from "@devicemesh/kit/lifetime/backoff";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { createRateMeter } from "@devicemesh/kit/observability/rate-meter";
import type { SensorSpec } from "@devicemesh/proto";
import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { Clock } from "../clock.ts";
import { deliver } from "../delivery/delivery.ts";
import { noneStoredBefore, type StoredBefore, sumOfStoredBefore } from "../delivery/stored-before.ts";
import type { SendFailure, Unit, UnitSender } from "../delivery/unit.ts";
import type { Random } from "../random.ts";
import { createConditions } from "./conditions.ts";
import { createOutboxLane, laneOf, type OutboxLane, type QueuedUnit } from "./outbox-lane.ts";
import { defaultOutboxLimits, type OutboxLimits } from "./outbox-limits.ts";
import type { Spill } from "./spill.ts";

export { defaultOutboxLimits, type OutboxLimits } from "./outbox-limits.ts";

/** The counts of the outbox. added = acked + refused + dropped + pending at any moment. */
export type OutboxCounts = {
  /** Number of added readings, including dropped ones and those found in the spill folder. */
  readonly added: number;
  /** Number of readings that ingest has acknowledged as durably stored. */
  readonly acked: number;
  /** Of these, readings that were stored before. */
  readonly storedBefore: StoredBefore;
  /** Number of readings that ingest has rejected. */
  readonly refused: number;
  /** Number of readings that did not fit, remained when the outbox was closed, or were in a broken spill file. */
  readonly dropped: number;
  /** Number of readings not yet acknowledged, in memory and on disk. */
  readonly pending: number;
  /** Number of these on disk. */
  readonly spilled: number;
  /** Bytes of these on disk. */
  readonly spilledBytes: number;
  /** Number of failed attempts to deliver a unit. */
  readonly failedAttempts: number;
  /** Readings acknowledged a second, over the last ten seconds. */
  readonly ackedPerSecond: number;
};

/** Events of units, for the logger. */
export type OutboxEvent =
  | { readonly kind: "attemptFailed"; readonly failure: SendFailure; readonly attempt: number }
  | { readonly kind: "unitAcked"; readonly readings: number; readonly refused: number }
  | { readonly kind: "full" };

/** Keeps readings until ingest has acknowledged them. */
export type Outbox = {
  /** Adds a reading. Returns false if the outbox is full; the reading counts as dropped if `whenFull` is "drop". */
  add(deviceId: string, sensorCode: number, timestampMs: number, value: number): boolean;
  /** Resolves when there is capacity for a reading. @throws the signal's reason when it aborts. */
  capacity(signal?: AbortSignal): Promise<void>;
  /**
   * Sends without waiting for units to fill, and resolves when nothing is pending. @throws the signal's reason when it
   * aborts.
   */
  flush(signal?: AbortSignal): Promise<void>;
  counts(): OutboxCounts;
  /** The first rejected readings. */
  refusedReadings(): readonly RefusedReading[];
  /**
   * Delivers for at most `limitMs`, then ends the senders and writes the remaining units to the spill folder, if there
   * is one. Resolves to the number of readings that are neither acknowledged nor on disk (an interrupted attempt may
   * still have stored its readings). Closing again has no effect.
   */
  close(options: { limitMs: number }): Promise<{ undelivered: number }>;
};

/**
 * Readings are encoded at once and kept as frames; full units queue up and are sent, oldest first, each with retries
 * until it is acknowledged. A device's readings always use the same lane, with one unit in flight, so that readings of
 * one series arrive in the order in which they were added, whatever is sent again. When the memory is full:
 * - with a spill folder, complete units are written to disk and keep their position in the queue; if the disk is full
 * too,
 * as without;
 * - without one, add() returns false: `whenFull: "drop"` counts the new reading as dropped (the oldest
 * readings are kept), `"wait"` leaves it with the caller, who awaits capacity().
 *
 * Units that an earlier process left in the spill folder are sent first, one at a time.
 */
export function createOutbox({
  sender,
  clock,
  random,
  whenFull,
  spill,
  limits = {},
  sensors,
  backoff = defaultBackoff,
  observe = () => {},
}: {
  sender: UnitSender;
  clock: Clock;
  random: Random;
  whenFull: "drop" | "wait";
  spill?: Spill | undefined;
  limits?: Partial<OutboxLimits>;
  /** The sensors by code, if readings are added by code; those of the built-in catalog by default. */
  sensors?: readonly SensorSpec[] | undefined;
  backoff?: Backoff;
  observe?(event: OutboxEvent): void;
}): Outbox {
  const { frameReadings, unitReadings, unitAgeMs, unitsInFlight, memoryReadings, refusedKept } = {
    ...defaultOutboxLimits,
    ...limits,
  };
  const newLane = (): OutboxLane => {
    const lane = createOutboxLane({
      frameReadings,
      ageMs: unitAgeMs,
      clock,
      sensors,
      onDue: () => send(lane),
    });
    return lane;
  };
  const lanes = Array.from({ length: unitsInFlight }, newLane);
  const leftovers = newLane();
  const rate = createRateMeter();
  const ending = new AbortController();
  const changes = createConditions();
  const refusedReadings: RefusedReading[] = [];
  let sequence = spill?.lastSequence() ?? 0;
  let inMemory = 0;
  let flushes = 0;
  let added = spill?.readings() ?? 0;
  let acked = 0;
  let storedBefore = noneStoredBefore;
  let refused = 0;
  let dropped = 0;
  let failedAttempts = 0;
  let full = false;

  function add(deviceId: string, sensorCode: number, timestampMs: number, value: number): boolean {
    if (close.isClosing) throw new Error("the outbox is closed");
    if (inMemory >= memoryReadings && spill !== undefined) for (const lane of lanes) cut(lane);
    if (inMemory >= memoryReadings) {
      if (whenFull === "wait") return false;
      added += 1;
      dropped += 1;
      if (!full) observe({ kind: "full" });
      full = true;
      return false;
    }
    const lane = lanes[laneOf(deviceId, lanes.length)]!;
    lane.open.add(deviceId, sensorCode, timestampMs, value);
    added += 1;
    inMemory += 1;
    if (lane.open.readings() >= unitReadings) {
      cut(lane);
      send(lane);
    } else if (flushes > 0) {
      send(lane);
    }
    return true;
  }

  function take(lane: OutboxLane): QueuedUnit {
    const unit = lane.open.take();
    sequence += 1;
    return { sequence, readings: unit.readings, unit, file: undefined };
  }

  /** Completes the lane's open unit and queues it, on disk if the memory is nearly full. */
  function cut(lane: OutboxLane): void {
    if (lane.open.readings() === 0) return;
    const queued = take(lane);
    lane.queue.push(inMemory + unitReadings > memoryReadings ? spilled(queued) : queued);
  }

  /** Returns the unit on disk; writes it if it is not there and the disk accepts it. */
  function spilled(queued: QueuedUnit): QueuedUnit {
    if (queued.file !== undefined || queued.unit === undefined) return queued;
    const file = spill?.put(queued.unit, queued.sequence);
    if (file === undefined) return queued;
    inMemory -= queued.readings;
    return { ...queued, unit: undefined, file };
  }

  function next(lane: OutboxLane): { readonly queued: QueuedUnit; readonly unit: Unit } | undefined {
    for (let queued = lane.queue.shift(); queued !== undefined; queued = lane.queue.shift()) {
      const unit = queued.unit ?? (queued.file && spill?.read(queued.file));
      if (unit !== undefined) return { queued, unit };
    }
    if (lane.open.readings() === 0 || !(lane.open.isDue() || flushes > 0)) return undefined;
    const queued = take(lane);
    return { queued, unit: queued.unit! };
  }

  function send(lane: OutboxLane): void {
    if (lane.inFlight !== undefined || ending.signal.aborted) return;
    if (lane !== leftovers && (leftovers.inFlight !== undefined || leftovers.queue.length > 0)) return;
    const ready = next(lane);
    if (ready === undefined) return;
    lane.inFlight = { queued: ready.queued, done: sendUnit(lane, ready.queued, ready.unit) };
  }

  function sendAll(): void {
    for (const lane of [leftovers, ...lanes]) send(lane);
  }

  async function sendUnit(lane: OutboxLane, queued: QueuedUnit, unit: Unit): Promise<void> {
    const onFailure = (failure: SendFailure, attempt: number): void => {
      failedAttempts += 1;
      observe({ kind: "attemptFailed", failure, attempt });
    };
    const delivery = await deliver(unit, {
      sender,
      clock,
      random,
      backoff,
      signal: ending.signal,
      onFailure,
    });
    if (delivery.kind === "aborted") return;
    lane.inFlight = undefined;
    if (queued.file !== undefined) spill?.remove(queued.file);
    else inMemory -= queued.readings;
    acked += delivery.accepted;
    storedBefore = sumOfStoredBefore(storedBefore, delivery.storedBefore);
    refused += delivery.refused;
    refusedReadings.push(...delivery.refusedReadings.slice(0, refusedKept - refusedReadings.length));
    rate.add(delivery.accepted, clock.nowMs());
    if (inMemory <= memoryReadings / 2) full = false;
    observe({ kind: "unitAcked", readings: delivery.accepted, refused: delivery.refused });
    if (lane === leftovers) sendAll();
    else send(lane);
    changes.check();
  }

  const pending = () => inMemory + (spill?.readings() ?? 0);

  async function flush(signal?: AbortSignal): Promise<void> {
    flushes += 1;
    try {
      sendAll();
      await changes.until(() => pending() === 0, signal);
    } finally {
      flushes -= 1;
    }
  }

  const close = closeOnce(async ({ limitMs }: { limitMs: number }) => {
    const limit = new AbortController();
    const cancelLimit = clock.setTimer(limitMs, () => limit.abort());
    try {
      await flush(limit.signal);
    } catch {
      // The time limit has passed; the remaining readings are counted below.
    } finally {
      cancelLimit();
    }
    ending.abort();
    const all = [leftovers, ...lanes];
    await Promise.all(all.map(({ inFlight }) => inFlight?.done));
    sender.close();
    for (const lane of all) {
      const open = lane.open.readings() > 0 ? [take(lane)] : [];
      const sending = lane.inFlight === undefined ? [] : [lane.inFlight.queued];
      for (const queued of [...sending, ...lane.queue, ...open]) spilled(queued);
    }
    const undelivered = inMemory;
    inMemory = 0;
    dropped += undelivered;
    changes.check();
    return { undelivered };
  });

  for (const file of spill?.leftovers() ?? []) {
    leftovers.queue.push({ sequence: file.sequence, readings: file.readings, unit: undefined, file });
  }
  send(leftovers);
  return {
    add,
    flush,
    capacity: (signal) => changes.until(() => inMemory < memoryReadings, signal),
    counts: () => ({
      added,
      acked,
      storedBefore,
      refused,
      dropped: dropped + (spill?.brokenReadings() ?? 0),
      pending: pending(),
      spilled: spill?.readings() ?? 0,
      spilledBytes: spill?.bytes() ?? 0,
      failedAttempts,
      ackedPerSecond: rate.perSecond(clock.nowMs()),
    }),
    refusedReadings: () => refusedReadings,
    close,
  };
}
