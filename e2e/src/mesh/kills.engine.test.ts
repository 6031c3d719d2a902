import { testEngines } from "@devicemesh/engines/testing";
import { waitUntil } from "@devicemesh/kit/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { expectAllFromWindows, expectExact } from "./exact-sets.ts";
import { everyMs } from "./pace.ts";
import { type RealMesh, startRealMesh } from "./real-mesh.ts";
import { startSteadyLoad } from "./steady-load.ts";

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

describe.skipIf(engines === undefined)("while 500 readings a second flow, kill -9 of", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "kills");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it.each(victims)(
    "$name loses nothing, doubles nothing, and answers stay exact",
    { timeout: recoveryLimitMs * 3 },
    async ({ name, kill }) => {
      const prefix = `${name.replaceAll(" ", "-")}.`;
      const load = startSteadyLoad({ target: mesh.address, prefix });
      try {
        await waitUntil(() => load.acked.size >= before, {
          timeoutMs: recoveryLimitMs,
          everyMs,
          what: "readings flow",
        });
        const ackedBefore = load.acked.size;
        await kill(mesh);
        await waitUntil(() => load.acked.size >= ackedBefore + after, {
          timeoutMs: recoveryLimitMs,
          everyMs,
          what: `readings flow after the death of ${name}`,
        });
        await load.finish();
      } finally {
        load.abort();
      }
      await mesh.untilComplete({ timeoutMs: recoveryLimitMs });
      await expectExact(mesh, load, prefix);
      await mesh.untilSealed({ timeoutMs: recoveryLimitMs });
      await expectExact(mesh, load, prefix);
      await expectAllFromWindows(mesh, load.sent.values());
    },
  );
});
