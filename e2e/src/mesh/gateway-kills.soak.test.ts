import { createServer } from "node:net";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGatewayLoad } from "../../testing/mesh/gateway-load.ts";
import { harmUnderLoad, recoveryLimitMs } from "../../testing/mesh/harm-under-load.ts";
import { killVictims } from "../../testing/mesh/kill-victims.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";

const engines = await testEngines();

/** A port that is free now; the gateway keeps it over its restarts. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

describe.skipIf(engines === undefined)("kill -9 under the load of HTTP and MQTT senders", () => {
  let mesh: RealMesh;
  let mqttPort: number;
  beforeAll(async () => {
    mqttPort = await freePort();
    mesh = await startRealMesh(engines!, "gateway-kills", { mqttPort });
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it(
    "of the gateway, of ingest and of a broker loses nothing that was acknowledged, and doubles nothing",
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
