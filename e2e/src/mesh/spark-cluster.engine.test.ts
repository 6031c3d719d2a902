import { spawnSync } from "node:child_process";
import { type Engines, startEngines } from "@devicemesh/engines";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAllFromWindows, expectExact } from "../../testing/mesh/exact-sets.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { everyMs } from "../../testing/mesh/waits.ts";

const engines = await testEngines();
/** Time limit for a part to recover: a driver starts again, and its first batch is slow on a loaded machine. */
const limitMs = 400_000;

const victims: readonly { readonly name: string; kill(cluster: Engines): Promise<void> }[] = [
  { name: "a worker with its executor", kill: (cluster) => killed(cluster, "spark-worker-1") },
  { name: "the master", kill: (cluster) => killed(cluster, "spark-master") },
  {
    name: "an executor",
    async kill(cluster) {
      const [processId] = await executorsOf(cluster);
      process.kill(processId!, "SIGKILL");
    },
  },
  { name: "the driver", kill: (cluster) => killed(cluster, "spark") },
];

async function killed(cluster: Engines, name: Parameters<Engines["kill"]>[0]): Promise<void> {
  await cluster.kill(name);
  await cluster.start(name);
}

/** Returns the process ids of the executors of a cluster's workers. */
async function executorsOf(cluster: Engines): Promise<number[]> {
  const workers = (await cluster.status())
    .filter(({ name }) => name.startsWith("spark-worker"))
    .map(({ address }) => `--worker-url ${address.replace("spark://", "spark://Worker@")} `);
  const { stdout } = spawnSync("ps", ["-ww", "-eo", "pid=,args="], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => workers.some((worker) => `${line} `.includes(worker)))
    .map((line) => Number.parseInt(line, 10));
}

describe.skipIf(engines === undefined)("a Spark master with two workers", () => {
  let cluster: Engines;
  let mesh: RealMesh;
  beforeAll(async () => {
    cluster = await startEngines({
      folder: `${engines!.folder}-cluster`,
      parts: ["spark:cluster"],
      fresh: true,
    });
    mesh = await startRealMesh(engines!, "cluster", {
      engines: { ...engines!, sparkUrl: cluster.addresses.sparkUrl },
    });
  });
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it.each(victims)(
    "folds what one process would, and continues when $name is killed",
    { timeout: limitMs * 4 },
    async ({ name, kill }) => {
      const prefix = `${name.replaceAll(" ", "-")}.`;
      const load = startSteadyLoad({ target: mesh.address, prefix });
      const acked = (count: number) =>
        waitUntil(() => load.acked.size >= count, { timeoutMs: limitMs, everyMs, what: `${count} readings` });
      try {
        await acked(1000);
        // Executors have folded data: the frontier moves only with their partials.
        await mesh.untilSealed({ timeoutMs: limitMs });
        const soFar = load.acked.size;
        await kill(cluster);
        await acked(soFar + 2000);
        await load.finish();
      } finally {
        load.abort();
      }
      await mesh.untilSealed({ timeoutMs: limitMs });
      await expectExact(mesh, load, prefix);
      await expectAllFromWindows(mesh, load.sent.values());
      await waitUntil(async () => (await cluster.status()).every(({ state }) => state === "ready"), {
        timeoutMs: limitMs,
        everyMs,
        what: "every part of the cluster is ready",
      });
      expect((await executorsOf(cluster)).length).toBeGreaterThan(0);
    },
  );
});
