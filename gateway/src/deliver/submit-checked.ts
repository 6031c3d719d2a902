import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";
import type { Delivery } from "./delivery.ts";
import type { Outcome } from "./parcel.ts";

/** The sender of readings, and the devices that it may send for. */
export type Sender = {
  /** Whether the sender may send readings of the device. */
  mayPublish(deviceId: string): boolean;
  /** A description of the rule. */
  readonly refusalText: string;
};

/** Number of readings of one submission to the delivery: small enough that no sender fills the queue at once. */
const chunkReadings = 4000;

/**
 * Submits the readings of one request that its sender may send, in chunks; the others are rejected by the rule
 * `device_id.identity`. The whole request has a time limit of `waitMs`; without it, there is no limit.
 */
export async function submitChecked(
  readings: readonly GatewayReading[],
  {
    delivery,
    sender,
    waitMs,
    nowMs,
  }: {
    readonly delivery: Delivery;
    /** The sender; any device is allowed if left out. */
    readonly sender?: Sender | undefined;
    readonly waitMs?: number | undefined;
    /** A monotonic clock in ms. */
    readonly nowMs: () => number;
  },
): Promise<Outcome> {
  const rejected: RejectedValue[] = [];
  const allowed: number[] = [];
  for (const [index, { deviceId }] of readings.entries()) {
    if (sender === undefined || sender.mayPublish(deviceId)) allowed.push(index);
    else rejected.push({ index, field: "device_id", rule: "device_id.identity", text: sender.refusalText });
  }
  const endMs = waitMs === undefined ? undefined : nowMs() + waitMs;
  for (let from = 0; from < allowed.length; from += chunkReadings) {
    const places = allowed.slice(from, from + chunkReadings);
    const outcome = await delivery.submit(
      places.map((place) => readings[place]!),
      endMs === undefined ? {} : { waitMs: Math.max(0, endMs - nowMs()) },
    );
    if (outcome.kind === "unavailable") return outcome;
    for (const value of outcome.rejected) rejected.push({ ...value, index: places[value.index]! });
  }
  return { kind: "done", rejected: rejected.sort((a, b) => a.index - b.index) };
}
