import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { planRead, type ReadPlan } from "@devicemesh/query";
import { type EmbeddedStore, openEmbeddedStore } from "@devicemesh/store-duckdb";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../testing/folding-process.ts", import.meta.url));
const startMs = Date.UTC(2026, 5, 1);
const kills = 12;
const signal = AbortSignal.timeout(900_000);

/** The counts of a plan, by device. */
async function rowsOf(store: EmbeddedStore, plan: ReadPlan) {
  const filter = { deviceIds: [], sensors: [] };
  const { partials } = await store.readings.readPartials({ plan, filter }, signal);
  return partials
    .map(({ deviceId, count, minimum, maximumAtMs }) => ({ deviceId, count, minimum, maximumAtMs }))
    .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}

it("counts every reading once, however often the process is killed while it folds", {
  timeout: 900_000,
}, async () => {
  using folder = temporaryFolder();
  let acked = 0;
  let nowMs = startMs;
  for (let round = 0; round < kills; round++) {
    const child = spawn(process.execPath, [script, folder.path, `${nowMs}`, `${acked}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      [acked = 0, nowMs = 0] = line.split(" ").map(Number);
      // Folding begins right after an acknowledgement: kill at once, or a few iterations of the event loop later.
      if (++lines === 4 + round) setTimeout(() => child.kill("SIGKILL"), round % 4);
    }
    await exited;

    const store = await openEmbeddedStore({ folder: folder.path, clock: () => nowMs });
    const { levels } = store.readings;
    const horizon = await store.readings.readHorizon(signal);
    for (const span of [
      { sinceMs: 0, toMs: Infinity },
      { sinceMs: startMs - 86_000_003, toMs: startMs },
    ]) {
      const { plan } = planRead({ ...span, levels, horizon });
      const everyArrival = { arrivedSinceMs: -Infinity, arrivedToMs: Infinity };
      const bruteForce = { levels: levels.map(() => []), raw: [{ ...span, ...everyArrival }] };
      const [planned, counted] = await Promise.all([plan, bruteForce].map((each) => rowsOf(store, each)));
      expect(planned).toEqual(counted);
    }
    const { storedReadings } = await store.readings.readStatus(signal);
    expect(storedReadings).toBeGreaterThanOrEqual(acked);
    // A batch that was stored but not acknowledged is sent again in the next round, as a duplicate.
    expect(storedReadings - acked).toBeLessThanOrEqual(400);
    await store.close();
  }
  const store = await openEmbeddedStore({ folder: folder.path, clock: () => nowMs });
  const { partialCounts } = await store.readings.readStatus(signal);
  expect(partialCounts.every((count) => count > 0)).toBe(true);
  await store.close();
});
