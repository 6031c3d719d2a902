import { setTimeout as delay } from "node:timers/promises";
import { testEngines } from "@devicemesh/engines/testing";
import { waitUntil } from "@devicemesh/kit/testing";
import type { DeviceMessage } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPublisher, readingOf } from "../publisher.ts";
import { differencesOf, expectAllFromWindows, expectExact } from "./exact-sets.ts";
import { everyMs } from "./pace.ts";
import { type RealMesh, startRealMesh } from "./real-mesh.ts";
import { type SteadyLoad, startSteadyLoad } from "./steady-load.ts";

const engines = await testEngines();

/** How many readings flow before the kill, and how many must be acknowledged after it. */
const before = 1500;
const after = 2500;
/** How long the chain may take to get over a death, on a slow machine. */
const recoveryLimitMs = 240_000;

const victims: readonly { readonly name: string; kill(mesh: RealMesh): Promise<void> }[] = [
  ...(["envoy", "ingest", "query", "aggregator", "operator"] as const).map((name) => ({
    name,
    kill: (mesh: RealMesh) => mesh.services.get(name).kill(),
  })),
  { name: "one broker of three", kill: (mesh) => killed(mesh, "kafka-2") },
  { name: "the Connect worker", kill: (mesh) => killed(mesh, "connect") },
  { name: "the database", kill: (mesh) => killed(mesh, "mongo") },
  { name: "the Spark driver", kill: (mesh) => killed(mesh, "spark") },
];

async function killed({ engines }: RealMesh, engine: string): Promise<void> {
  await engines.kill(engine);
  await engines.start(engine);
}

describe.skipIf(engines === undefined)("kill -9 under load of", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "kills");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  /** Kills the victims one after the other while a load flows; then everything is stored, and every answer exact. */
  async function killUnder(load: SteadyLoad, prefix: string, killed: typeof victims): Promise<void> {
    const acked = (count: number, what: string) =>
      waitUntil(() => load.acked.size >= count, { timeoutMs: recoveryLimitMs, everyMs, what });
    try {
      await acked(before, "readings flow");
      for (const { name, kill } of killed) {
        const ackedBefore = load.acked.size;
        await kill(mesh);
        await acked(ackedBefore + after, `readings flow after the death of ${name}`);
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

  it.each(victims)(
    "$name, at 500 readings a second, loses nothing, doubles nothing, and answers stay exact",
    { timeout: recoveryLimitMs * 3 },
    async (victim) => {
      const prefix = `${victim.name.replaceAll(" ", "-")}.`;
      await killUnder(startSteadyLoad({ target: mesh.address, prefix }), prefix, [victim]);
    },
  );

  // Twice: what the first round leaves behind must not harm the second.
  it.each(["once", "and again"])(
    "all of them one after the other, %s, at 1,000 readings a second, a fifth late and a twentieth repeated",
    { timeout: recoveryLimitMs * 10 },
    async (round) => {
      const prefix = `all-${round.replaceAll(" ", "-")}.`;
      const settled = settledReadings(`settled-${prefix}`);
      using publisher = createPublisher(mesh.address);
      await publisher.publish(settled.map(readingOf));
      await mesh.untilSealed();
      const asking = askOverAndOver(mesh, settled);
      const load = startSteadyLoad({
        target: mesh.address,
        prefix,
        readingsPerSecond: 1000,
        lateEvery: 5,
        repeatEvery: 20,
      });
      try {
        await killUnder(load, prefix, victims);
      } finally {
        await asking.stop();
      }
      expect(load.repeated).toBeGreaterThan(load.sent.size / 25);
      expect(asking.differences).toEqual([]);
      expect(asking.answered).toBeGreaterThan(victims.length);
    },
  );
});

/** Readings of ten devices over the last hour. */
function settledReadings(prefix: string): DeviceMessage[] {
  const startMs = Date.now() - 3_600_000;
  return Array.from({ length: 1000 }, (_, place) => ({
    deviceId: `${prefix}${place % 10}`,
    sensor: "temperature",
    timestampMs: startMs + place * 3000,
    value: ((place * 7919) % 997) / 50,
  }));
}

/** Asks questions about these readings again and again, until it is stopped; what is not answered is asked again. */
function askOverAndOver(mesh: RealMesh, readings: readonly DeviceMessage[]) {
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
