import { type Clock, systemClock } from "@devicemesh/client/clock";
import { createIngestClient } from "@devicemesh/client/delivery/ingest-client";
import type { IngestTls } from "@devicemesh/client/delivery/ingest-tls";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createOutbox } from "@devicemesh/client/outbox/outbox";
import { createRandom } from "@devicemesh/client/random";
import { createDevices } from "./devices.ts";
import { createWalk, type Walk } from "./walk.ts";

/** The span of past readings, and their target. Times are in ms. */
export type BackfillOptions = {
  /** Number of devices; they are the same as in a simulation with this seed and prefix. */
  readonly devices: number;
  readonly seed: bigint;
  readonly devicePrefix?: string | undefined;
  /** Age of the first readings. */
  readonly spanMs: number;
  /** The interval between two readings of a device. */
  readonly intervalMs: number;
  /** host:port of ingest. */
  readonly target: string;
  /** TLS for ingest; cleartext if undefined. */
  readonly tls?: IngestTls | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Replaces a client of `target`. */
  readonly sender?: UnitSender;
};

/**
 * Sends the readings that simulated devices would have sent until now, as fast as ingest acknowledges them, and
 * resolves with their number when all are durably stored; with fewer if the signal aborted or ingest rejected some.
 */
export async function backfill(options: BackfillOptions): Promise<number> {
  const { seed, devicePrefix, spanMs, intervalMs, target, tls, clock = systemClock } = options;
  const { signal = new AbortController().signal } = options;
  const devices = createDevices(options.devices, devicePrefix);
  const sender = options.sender ?? createIngestClient({ target, tls, clock });
  const outbox = createOutbox({ sender, clock, random: createRandom(seed, 0), whenFull: "wait" });
  const toMs = Math.floor(clock.nowMs());
  const steps = Math.floor(spanMs / intervalMs);
  const values = valuesBefore(createWalk({ devices, intervalMs, seed }), { steps, devices: devices.count });
  try {
    for (let step = steps; step > 0; step--) {
      for (let index = 0; index < devices.count; index++) {
        // Devices measure one after the other, like in a simulation.
        const atMs = toMs - step * intervalMs + Math.floor((index * intervalMs) / devices.count);
        const [deviceId, code] = [devices.ids[index] ?? "", devices.sensorCodes[index] ?? 0];
        const value = values[(step - 1) * devices.count + index] ?? 0;
        while (!outbox.add(deviceId, code, atMs, value)) await outbox.capacity(signal);
      }
    }
    await outbox.flush(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await outbox.close({ limitMs: 0 });
  }
  return outbox.counts().acked;
}

/**
 * Returns the values of each step before now, the latest step first. The walk is drawn backwards, which is
 * statistically the same process, so that it joins the first value of a simulation with the same seed, which begins
 * there.
 */
function valuesBefore(walk: Walk, { steps, devices }: { steps: number; devices: number }): Float64Array {
  const values = new Float64Array(steps * devices);
  for (let place = 0; place < values.length; place++) values[place] = walk.next(place % devices);
  return values;
}
