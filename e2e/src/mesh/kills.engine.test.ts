import { testEngines } from "@devicemesh/engines/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPublisher, readingOf } from "../publisher.ts";
import {
  askOverAndOver,
  type Harm,
  harmUnderLoad,
  recoveryLimitMs,
  settledReadings,
} from "./harm-under-load.ts";
import { type RealMesh, startRealMesh } from "./real-mesh.ts";
import { startSteadyLoad } from "./steady-load.ts";

const engines = await testEngines();

const victims: readonly Harm[] = [
  ...(["envoy", "ingest", "query", "aggregator", "operator"] as const).map((name) => ({
    name,
    harm: (mesh: RealMesh) => mesh.services.get(name).kill(),
  })),
  { name: "one broker of three", harm: (mesh) => killed(mesh, "kafka-2") },
  { name: "the Connect worker", harm: (mesh) => killed(mesh, "connect") },
  { name: "the database", harm: (mesh) => killed(mesh, "mongo") },
  { name: "the Spark driver", harm: (mesh) => killed(mesh, "spark") },
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

  it.each(victims)(
    "$name, at 500 readings a second, loses nothing, doubles nothing, and answers stay exact",
    { timeout: recoveryLimitMs * 3 },
    async (victim) => {
      const prefix = `${victim.name.replaceAll(" ", "-")}.`;
      await harmUnderLoad(mesh, startSteadyLoad({ target: mesh.address, prefix }), prefix, [victim]);
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
        await harmUnderLoad(mesh, load, prefix, victims);
      } finally {
        await asking.stop();
      }
      expect(load.repeated).toBeGreaterThan(load.sent.size / 25);
      expect(asking.differences).toEqual([]);
      expect(asking.answered).toBeGreaterThan(victims.length);
    },
  );
});
