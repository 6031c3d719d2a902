import { request } from "node:https";
import { gatewayProgramSettings } from "@devicemesh/gateway/settings";
import { startGateway } from "@devicemesh/gateway/start";
import { openDeviceAccess } from "@devicemesh/identity";
import {
  accessOff,
  createAccessFiles,
  createTestAuthority,
  createTestIssuer,
  writeKeyPair,
} from "@devicemesh/identity/testing/test-credentials";
import { startTestIngest } from "@devicemesh/ingest/testing/ingest-fixture";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEnvoy } from "../src/start-envoy.ts";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";

const logger = silentLogger();
const original =
  '{"device_id":"kitchen","timestamp":"2023-03-28T20:04:22Z","temperature":25.2,"tag":"Thermostat"}';

/** An ingest over a memory log, and a gateway process in front of it. */
async function startBehind(identity: readonly string[]) {
  const access = openDeviceAccess(
    {
      ...accessOff,
      deviceCa: undefined,
      trustDomain: "devicemesh",
      denyList: undefined,
      trustForwardedIdentity: identity.length > 0,
    },
    { logger, clock: Date.now },
  );
  onTestFinished(() => access[Symbol.dispose]());
  const ingest = await startTestIngest({
    config: { shutdownGraceMs: 100 },
    dependencies: { clock: Date.now, identityOf: access.identityOf },
  });
  onTestFinished(() => ingest[Symbol.asyncDispose]());
  const args = ["--port", "0", "--ingest", `127.0.0.1:${ingest.port}`, "--mqtt-port", "0", ...identity];
  const loaded = loadSettings(gatewayProgramSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const gateway = await startGateway(loaded.values, { logger, clock: Date.now, metrics: undefined });
  onTestFinished(() => gateway.close());
  const stored = () =>
    ingest.memory.readAll().map(({ deviceId, sensor, value }) => `${deviceId}|${sensor}|${value}`);
  const backends = {
    ingest: [localhost(ingest.port)],
    query: [localhost(ingest.port)],
    generator: [localhost(ingest.port)],
    gateway: [localhost(gateway.port)],
  };
  return { stored, backends };
}

describe.skipIf(envoyBinary === undefined)("the gateway behind Envoy", () => {
  it("accepts documents and line protocol, and answers the checks of InfluxDB's clients", async () => {
    const { stored, backends } = await startBehind([]);
    const envoy = await startEnvoy({ ...quietEnvoy, ...backends });
    onTestFinished(() => envoy[Symbol.asyncDispose]());
    const url = `http://127.0.0.1:${envoy.plain.port}`;
    const post = (path: string, body: string, type: string) =>
      fetch(`${url}${path}`, { method: "POST", body, headers: { "content-type": type } });
    await expect.poll(async () => (await fetch(`${url}/ping`)).status).toBe(204);
    expect(await (await post("/v1/readings", original, "application/json")).json()).toMatchObject({
      accepted: 1,
    });
    expect((await post("/api/v2/write?bucket=b", "air,host=pi humidity=40", "text/plain")).status).toBe(204);
    expect((await post("/write?db=d", "air,host=pi humidity=400", "text/plain")).status).toBe(400);
    expect((await (await fetch(`${url}/health`)).json()) as object).toMatchObject({ status: "pass" });
    const recording =
      "device,time,temperature\nattic,2023-03-28T20:04:22Z,21.5\nattic,2023-03-28T20:04:22Z,21.5\n";
    const uploaded = await post("/v1/import", recording, "text/csv");
    expect(await uploaded.json()).toMatchObject({ report: { stored: 1, duplicates: 1, values: 2 } });
    expect(stored()).toEqual(["kitchen|temperature|25.2", "pi|humidity|40", "attic|temperature|21.5"]);
  });

  it("identifies senders by the token or certificate that Envoy has verified, and checks their devices", async () => {
    const files = createAccessFiles();
    const folder = temporaryFolder();
    onTestFinished(() => files[Symbol.dispose]());
    onTestFinished(() => folder[Symbol.dispose]());
    const [issuer, authority] = [await createTestIssuer(), await createTestAuthority()];
    const jwksFile = files.write("jwks.json", issuer.publicKeys);
    const { stored, backends } = await startBehind([
      "--trust-forwarded-identity",
      "--forwarded-name",
      "spiffe://devicemesh/gateway/*",
    ]);
    const server = writeKeyPair(folder.path, "server", authority.server);
    const envoy = await startEnvoy({
      ...quietEnvoy,
      ...backends,
      public: { host: "127.0.0.1", port: 0, ...server },
      users: { jwksFile, issuer: "devicemesh", audience: "devicemesh" },
      devices: {
        host: "127.0.0.1",
        port: 0,
        ...server,
        authority: files.write("ca.pem", authority.certificate),
        trustDomain: "devicemesh",
      },
    });
    onTestFinished(() => envoy[Symbol.asyncDispose]());
    const send = (
      port: number,
      path: string,
      body: string,
      headers: Record<string, string>,
      pair: object = {},
    ) =>
      new Promise<number>((resolve, reject) => {
        const options = {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          ca: authority.certificate,
          ...pair,
        };
        const call = request(`https://127.0.0.1:${port}${path}`, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        call.on("error", reject);
        call.end(body);
      });
    const publicPort = envoy.public!.port;
    const token = await issuer.token({ scopes: ["devicemesh.send"], devices: ["kitchen*", "pi"] });
    const bearer = { authorization: `Bearer ${token}` };
    await expect.poll(() => send(publicPort, "/v1/readings", original, bearer)).toBe(200);
    expect(await send(publicPort, "/v1/readings", original, {})).toBe(401);
    expect(await send(publicPort, "/v1/import", "a,b", {})).toBe(401);
    expect(await send(publicPort, "/v1/import", "a,b", bearer)).toBe(501);
    expect(
      await send(publicPort, "/v1/readings", original, { authorization: `Bearer ${await issuer.token()}` }),
    ).toBe(403);
    expect(await send(publicPort, "/v1/readings", original.replace("kitchen", "other"), bearer)).toBe(400);
    expect(
      await send(publicPort, "/api/v2/write", "air,host=pi humidity=40", { authorization: `Token ${token}` }),
    ).toBe(204);
    expect(await send(publicPort, "/api/v2/write", "air,host=pi humidity=40", {})).toBe(401);
    const boiler = await authority.client("spiffe://devicemesh/device/boiler");
    const pair = { key: boiler.key, cert: boiler.certificate };
    expect(
      await send(envoy.devices!.port, "/v1/readings", original.replace("kitchen", "boiler"), {}, pair),
    ).toBe(200);
    expect(await send(envoy.devices!.port, "/v1/readings", original, {}, pair)).toBe(400);
    expect(stored()).toEqual(["kitchen|temperature|25.2", "pi|humidity|40", "boiler|temperature|25.2"]);
  });
});
