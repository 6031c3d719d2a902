import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { differencesOf, expectAllFromWindows, expectExact } from "./exact-sets.ts";
import type { RealMesh } from "./real-mesh.ts";
import type { SteadyLoad } from "./steady-load.ts";
import { everyMs } from "./waits.ts";

/** A fault of a part of a running mesh. */
export type Harm = {
  /** The part. */
  readonly name: string;
  /** Resolves when the part is able to work again. */
  harm(mesh: RealMesh): Promise<void>;
};

/** Number of readings before a fault, and of those that must be acknowledged after it. */
const before = 1500;
const after = 2500;

/** Time limit for the pipeline to recover, on a slow machine. */
export const recoveryLimitMs = 240_000;

/** Causes the faults one after the other under load; afterwards everything must be stored, and every answer exact. */
export async function harmUnderLoad(
  mesh: RealMesh,
  load: SteadyLoad,
  prefix: string,
  harms: readonly Harm[],
): Promise<void> {
  const acked = (count: number, what: string) =>
    waitUntil(() => load.acked.size >= count, { timeoutMs: recoveryLimitMs, everyMs, what });
  try {
    await acked(before, "readings flow");
    for (const { name, harm } of harms) {
      const ackedBefore = load.acked.size;
      await harm(mesh);
      await acked(ackedBefore + after, `readings flow after the harm to ${name}`);
    }
    await load.finish();
  } finally {
    load.abort();
  }
  await mesh.untilComplete({ timeoutMs: recoveryLimitMs });
  await expectExact(mesh, load, prefix);
  await mesh.untilSealed({ timeoutMs: recoveryLimitMs });
  await expectExact(mesh, load, prefix);
  await expectAllFromWindows(mesh, load.sent.values(), { timeoutMs: recoveryLimitMs });
}

/** Readings of ten devices over the last hour. */
export function settledReadings(prefix: string): DeviceMessage[] {
  const startMs = Date.now() - 3_600_000;
  return Array.from({ length: 1000 }, (_, place) => ({
    deviceId: `${prefix}${place % 10}`,
    sensor: "temperature",
    timestampMs: startMs + place * 3000,
    value: ((place * 7919) % 997) / 50,
  }));
}

/** Sends queries about these readings repeatedly, until it is stopped; an unanswered query is retried. */
export function askOverAndOver(mesh: RealMesh, readings: readonly DeviceMessage[]) {
  const stopping = new AbortController();
  const differences: string[] = [];
  let answered = 0;
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      await differencesOf(mesh, readings).then(
        (found) => {
          answered += 1;
          differences.push(...found);
        },
        () => {},
      );
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    differences,
    get answered() {
      return answered;
    },
    stop() {
      stopping.abort();
      return asking;
    },
  };
}
