import { type Clock, systemClock } from "@devicemesh/client/clock";
import { createIngestClient } from "@devicemesh/client/delivery/ingest-client";
import type { IngestTls } from "@devicemesh/client/delivery/ingest-tls";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { createOutbox } from "@devicemesh/client/outbox/outbox";
import { createRandom } from "@devicemesh/client/random";
import { createDevices } from "./devices.ts";
import { createWalk, type Walk } from "./walk.ts";

/** What is sent of the past, and where to. Times are in ms. */
export type BackfillOptions = {
  /** How many devices; the same ones as a simulation with this seed and prefix has. */
  readonly devices: number;
  readonly seed: bigint;
  readonly devicePrefix?: string | undefined;
  /** How far back the readings begin. */
  readonly spanMs: number;
  /** The distance between two readings of a device. */
  readonly intervalMs: number;
  /** host:port of ingest. */
  readonly target: string;
  /** How it is reached with TLS; cleartext if undefined. */
  readonly tls?: IngestTls | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** In place of a client of `target`. */
  readonly sender?: UnitSender;
};

/**
 * Sends the readings that simulated devices would have sent until now, as fast as ingest acknowledges them, and
 * resolves with their number when all are durably stored; with fewer if the signal ended it or ingest rejected some.
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
        // Devices measure one after the other, as a simulation lets them.
        const atMs = toMs - step * intervalMs + Math.floor((index * intervalMs) / devices.count);
        const [deviceId, code] = [devices.ids[index] ?? "", devices.sensorCodes[index] ?? 0];
        const value = values[(step - 1) * devices.count + index] ?? 0;
        while (!outbox.add(deviceId, code, atMs, value)) await outbox.room(signal);
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
 * The values of each step before now, the latest step first. The walk is drawn backwards, which is the same process,
 * so that it meets the first value of a simulation with the same seed, which begins where this one does.
 */
function valuesBefore(walk: Walk, { steps, devices }: { steps: number; devices: number }): Float64Array {
  const values = new Float64Array(steps * devices);
  for (let place = 0; place < values.length; place++) values[place] = walk.next(place % devices);
  return values;
}
