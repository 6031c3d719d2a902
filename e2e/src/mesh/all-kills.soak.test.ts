import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  askOverAndOver,
  harmUnderLoad,
  recoveryLimitMs,
  settledReadings,
} from "../../testing/mesh/harm-under-load.ts";
import { killVictims as victims } from "../../testing/mesh/kill-victims.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("kill -9 under load of", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "all-kills");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  // Twice: the effects of the first round must not harm the second.
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
        duplicateEvery: 20,
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
