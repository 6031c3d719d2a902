import { startEngines } from "@devicemesh/engines";
import { testEngines } from "@devicemesh/engines/testing";
import { waitUntil } from "@devicemesh/kit/testing";
import { describe, expect, it } from "vitest";
import { expectAllFromWindows, expectExact } from "./exact-sets.ts";
import { everyMs } from "./pace.ts";
import { startRealMesh } from "./real-mesh.ts";
import { startSteadyLoad } from "./steady-load.ts";

const engines = await testEngines();
const limitMs = 240_000;

describe.skipIf(engines === undefined)("a Spark master with two workers", () => {
  it("folds what one process would, and goes on when a worker with its executor is killed", async () => {
    const prefix = "cluster.";
    await using cluster = await startEngines({
      folder: `${engines!.folder}-cluster`,
      parts: ["spark:cluster"],
      fresh: true,
    });
    await using mesh = await startRealMesh(engines!, "cluster", {
      engines: { ...engines!, sparkUrl: cluster.addresses.sparkUrl },
    });
    const load = startSteadyLoad({ target: mesh.address, prefix });
    const acked = (count: number) =>
      waitUntil(() => load.acked.size >= count, { timeoutMs: limitMs, everyMs, what: `${count} readings` });
    try {
      await acked(2000);
      // Executors have folded something: the frontier moves by their partials alone.
      await mesh.untilSealed({ timeoutMs: limitMs });
      const soFar = load.acked.size;
      await cluster.kill("spark-worker-1");
      await acked(soFar + 2000);
      await cluster.start("spark-worker-1");
      await load.finish();
    } finally {
      load.abort();
    }
    await mesh.untilSealed({ timeoutMs: limitMs });
    await expectExact(mesh, load, prefix);
    await expectAllFromWindows(mesh, load.sent.values());
    const states = await cluster.status();
    expect(states.map(({ name, state }) => [name, state])).toEqual(
      ["spark-master", "spark-worker-1", "spark-worker-2", "spark"].map((name) => [name, "ready"]),
    );
  }, 900_000);
});
