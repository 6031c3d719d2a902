import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { afterAll, beforeAll, describe, it } from "vitest";
import { harmUnderLoad, recoveryLimitMs } from "../../testing/mesh/harm-under-load.ts";
import { killVictims as victims } from "../../testing/mesh/kill-victims.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("kill -9 under load of", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "kills");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it.each(victims)(
    "$name, at 500 readings a second, loses no acknowledged reading, stores none twice, and answers stay exact",
    { timeout: recoveryLimitMs * 3 },
    async (victim) => {
      const prefix = `${victim.name.replaceAll(" ", "-")}.`;
      await harmUnderLoad(mesh, startSteadyLoad({ target: mesh.address, prefix }), prefix, [victim]);
    },
  );
});
