import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGatewayLoad } from "../../testing/mesh/gateway-load.ts";
import { harmUnderLoad, recoveryLimitMs } from "../../testing/mesh/harm-under-load.ts";
import { killVictims } from "../../testing/mesh/kill-victims.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("kill -9 under the load of HTTP and MQTT senders", () => {
  let mesh: RealMesh;
  let mqttPort = 0;
  beforeAll(async () => {
    // The gateway keeps it over its restarts.
    [mqttPort = 0] = await freePorts(1);
    mesh = await startRealMesh(engines!, "gateway-kills", { mqttPort });
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it(
    "of the gateway, of ingest and of a broker loses no acknowledged reading, and stores none twice",
    async () => {
      const prefix = "gateway.";
      const load = await startGatewayLoad({ http: mesh.address, mqttPort, prefix });
      const others = killVictims.filter(({ name }) => name === "ingest" || name === "one broker of three");
      expect(others).toHaveLength(2);
      await harmUnderLoad(mesh, load, prefix, [
        { name: "the gateway", harm: () => mesh.services.get("gateway").kill() },
        ...others,
      ]);
      expect(load.resent).toBeGreaterThan(0);
    },
    recoveryLimitMs * 3,
  );
});
