import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { SendResult, Unit, UnitSender } from "../src/delivery/unit.ts";
import { createOutbox, type OutboxEvent, type OutboxLimits } from "../src/outbox/outbox.ts";
import { laneOf } from "../src/outbox/outbox-lane.ts";
import { createManualClock } from "./manual-clock.ts";

/** A device in the other of two lanes than "device". */
export const otherDevice = ["b", "c", "d", "e"].find((id) => laneOf(id, 2) !== laneOf("device", 2))!;

/** Small limits, so that tests reach them. */
export const limits: Partial<OutboxLimits> = {
  frameReadings: 10,
  unitReadings: 50,
  unitAgeMs: 1000,
  memoryReadings: 200,
};

/** A sender that a test answers by hand, or that answers by itself. */
export function createFakeSender(answer?: (unit: Unit, attempt: number) => SendResult | undefined) {
  const sent: number[][] = [];
  const waiting: ((result: SendResult) => void)[] = [];
  let inFlightMost = 0;
  const sender: UnitSender = {
    send(unit, signal) {
      sent.push(valuesOf(unit));
      const own = answer?.(unit, sent.length - 1);
      if (own !== undefined) return Promise.resolve(own);
      return new Promise((resolve) => {
        waiting.push(resolve);
        inFlightMost = Math.max(inFlightMost, waiting.length);
        signal.addEventListener("abort", () => resolve(failed("CANCELLED")));
      });
    },
    close() {},
  };
  return {
    sender,
    sent,
    waiting,
    inFlightMost: () => inFlightMost,
    /** Answers the unit that has waited longest. */
    async reply(result: SendResult) {
      waiting.shift()!(result);
      await settle();
    },
  };
}

/** Lets all pending microtasks run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
/** An acknowledgement of this number of readings. */
export const acked = (readings: number): SendResult => ({
  kind: "acked",
  accepted: readings,
  refused: 0,
  refusedReadings: [],
});
/** A failure. */
export const failed = (code: string, retryDelayMs?: number): SendResult => ({
  kind: "failed",
  code,
  message: "set to fail",
  retryDelayMs,
});
/** Acknowledges the whole unit. */
export const ackUnit = (unit: Unit) => acked(unit.readings);

/** The numbers of the unit's readings, in the order of `add`. */
export function valuesOf(unit: Unit): number[] {
  return unit.frames.flatMap(({ bytes }) =>
    PublishReadingsRequest.decode(bytes).readings.map(({ timestamp }) => Number(timestamp?.seconds)),
  );
}

/** Returns an outbox on a manual clock, and a function that adds readings and returns how many were accepted. */
export function createTestOutbox(
  options: Partial<Parameters<typeof createOutbox>[0]> & { sender: UnitSender },
) {
  const clock = createManualClock();
  const events: OutboxEvent[] = [];
  const outbox = createOutbox({
    clock,
    random: () => 1,
    whenFull: "drop",
    limits,
    observe: (event) => events.push(event),
    ...options,
  });
  let next = 1;
  const add = (count: number, deviceId = "device") => {
    let taken = 0;
    for (let added = 0; added < count; added++) if (outbox.add(deviceId, 0, 1000 * next++, 1)) taken += 1;
    return taken;
  };
  return { outbox, clock, events, add };
}

/** Returns the whole numbers of a range. */
export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
