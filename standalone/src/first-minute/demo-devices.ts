import { randomInt } from "node:crypto";
import { backfill } from "@devicemesh/generator";
import { devicesAtStart, type EmbeddedConfig } from "../settings.ts";
import type { Embedded } from "../start.ts";

const dayMs = 86_400_000;
/** The interval between two past readings of a device; longer for fleets that would have too many. */
const intervalMinMs = 10_000;
const readingsMax = 1_000_000;
const seedMax = 2 ** 47;

/**
 * Starts the simulated devices, if there are any. If the store is empty, their last 24 hours are sent first, so that no
 * timeframe is empty. Resolves with the number of those readings when all are durably stored.
 */
export async function startDemoDevices(
  config: Pick<
    EmbeddedConfig,
    "devices" | "noGenerator" | "replay" | "noBackfill" | "generatorPrefix" | "retainRaw"
  >,
  { generator, generatorTls, ingest, found }: Embedded,
  signal: AbortSignal,
): Promise<number> {
  const devices = devicesAtStart(config);
  if (devices === 0) return 0;
  // One seed for both, so that each device continues around its own mean.
  const seed = BigInt(randomInt(seedMax));
  const isEmpty = found.storedReadings === 0 && found.series === 0;
  const wanted = isEmpty && !config.noBackfill;
  const stored = wanted
    ? await backfill({
        ...backfillPlan(devices, config.retainRaw),
        ...{ devices, seed, signal, target: ingest, tls: generatorTls, devicePrefix: config.generatorPrefix },
      })
    : 0;
  generator.start({ devices, seed });
  return stored;
}

/** Returns the span and the interval in ms: at most `readingsMax` readings, none older than the retention. Pure. */
export function backfillPlan(
  devices: number,
  retainRawMs: number | undefined,
): { readonly spanMs: number; readonly intervalMs: number } {
  const spanMs = Math.min(dayMs, retainRawMs ?? dayMs);
  const steps = Math.max(1, Math.ceil((spanMs * devices) / intervalMinMs / readingsMax));
  return { spanMs, intervalMs: intervalMinMs * steps };
}
