import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { gatewayProgramSettings } from "@devicemesh/gateway/settings";
import { startGateway } from "@devicemesh/gateway/start";
import { openDeviceAccess } from "@devicemesh/identity";
import {
  accessOff,
  createTestAuthority,
  createTestIssuer,
  type TestAuthority,
} from "@devicemesh/identity/testing/test-credentials";
import { startTestIngest } from "@devicemesh/ingest/testing/ingest-fixture";
import { runProbe } from "@devicemesh/kit/health/probe-cli";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { readStack } from "../../testing/stack-fixture.ts";
import { projectFolder } from "./stack-files.ts";

const logger = silentLogger();
const { services } = readStack("swarm", process.env);

/** An ingest behind Envoy, which trusts the identity headers that Envoy sets. */
async function startTrustingIngest() {
  const access = openDeviceAccess(
    {
      ...accessOff,
      deviceCa: undefined,
      trustDomain: "devicemesh",
      denyList: undefined,
      trustForwardedIdentity: true,
    },
    { logger, clock: Date.now },
  );
  onTestFinished(() => access[Symbol.dispose]());
  const ingest = await startTestIngest({
    config: { shutdownGraceMs: 100 },
    dependencies: { clock: Date.now, identityOf: access.identityOf },
  });
  onTestFinished(() => ingest[Symbol.asyncDispose]());
  return {
    address: `127.0.0.1:${ingest.port}`,
    stored: () =>
      ingest.memory.readAll().map(({ deviceId, sensor, value }) => `${deviceId}|${sensor}|${value}`),
  };
}

/** The files that the stack mounts into its gateways, here. */
async function credentialFiles() {
  const folder = temporaryFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const [authority, issuer] = [await createTestAuthority(), await createTestIssuer()];
  const contents: Readonly<Record<string, string>> = {
    "ca.pem": authority.certificate,
    "server.pem": authority.server.certificate,
    "server-key.pem": authority.server.key,
    "jwks.json": issuer.publicKeys,
    "denied.txt": "",
    "sensors.yaml": readFileSync(join(projectFolder, "stack/sensors.yaml"), "utf8"),
  };
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder.path, name), text);
  const here = (text: string): string =>
    text.replace(/^(?:\/etc\/devicemesh|\/run\/secrets)\//, `${folder.path}/`);
  return { authority, issuer, here };
}

/** A service of the stack with the settings that it has there, except for folders and the ports of this machine. */
async function startFromStack(name: string, ingest: string, here: (text: string) => string) {
  const env = {
    ...Object.fromEntries(
      Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => [variable, here(value)]),
    ),
    DEVICEMESH_HOST: "127.0.0.1",
    DEVICEMESH_PORT: "0",
    DEVICEMESH_INGEST: ingest,
  };
  const loaded = loadSettings(gatewayProgramSettings, {
    args: name === "mqtt" ? ["--mqtt-port", `${(await freePorts(1))[0]}`] : [],
    env,
  });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const gateway = await startGateway(loaded.values, { logger, clock: Date.now, metrics: undefined });
  onTestFinished(() => gateway.close());
  return { gateway, mqttPort: loaded.values.mqttPort };
}

/** Runs the stack's health check against a port of this machine; gives its exit code. */
async function healthOf(name: string, port: number, here: (text: string) => string): Promise<number> {
  const [kind, program, main, ...args] = services[name]?.healthcheck?.test ?? [];
  expect([kind, program, main]).toEqual(["CMD", "node", "/opt/devicemesh/kit/src/health/probe-main.ts"]);
  const listening = services[name]?.environment?.DEVICEMESH_PORT;
  expect(args[0]).toMatch(new RegExp(`:${listening}$`));
  return (await runProbe(args.map((arg) => here(arg).replace(`:${listening}`, `:${port}`)))).exitCode;
}

const connect = (port: number, authority: TestAuthority, identity: object) =>
  mqtt.connectAsync(
    `mqtts://localhost:${port}`,
    { ca: authority.certificate, reconnectPeriod: 0, ...identity },
    // One attempt.
    false,
  );

describe("gateways of the stack", () => {
  it.each(["gateway", "mqtt"])(
    "%s: the health check passes while it serves, and fails when it has ended",
    async (name) => {
      const { here } = await credentialFiles();
      const { gateway } = await startFromStack(name, "127.0.0.1:1", here);
      expect(await healthOf(name, gateway.port, here)).toBe(0);
      await gateway.close();
      expect(await healthOf(name, gateway.port, here)).toBe(1);
    },
  );

  it("MQTT accepts readings of devices with a certificate or a token, over TLS, and of no other client", async () => {
    const ingest = await startTrustingIngest();
    const { authority, issuer, here } = await credentialFiles();
    const { mqttPort = 0 } = await startFromStack("mqtt", ingest.address, here);
    const { certificate: cert, key } = await authority.client("spiffe://devicemesh/device/kitchen");
    const byCertificate = await connect(mqttPort, authority, { cert, key });
    await byCertificate.publishAsync("kitchen/temperature", "21.5", { qos: 1 });
    await byCertificate.endAsync();
    const token = await issuer.token({ scopes: ["devicemesh.send"], devices: ["cellar"] });
    const byToken = await connect(mqttPort, authority, { username: "cellar", password: token });
    await byToken.publishAsync("cellar/humidity", "60", { qos: 1 });
    await byToken.endAsync();
    expect(ingest.stored()).toEqual(["kitchen|temperature|21.5", "cellar|humidity|60"]);
    await expect(connect(mqttPort, authority, {})).rejects.toThrow("Connection refused");
  });

  it("HTTP behind Envoy accepts readings of the devices that Envoy has authenticated, and of no other", async () => {
    const ingest = await startTrustingIngest();
    const { here } = await credentialFiles();
    const { gateway } = await startFromStack("gateway", ingest.address, here);
    const post = (device: string) =>
      fetch(`http://127.0.0.1:${gateway.port}/v1/readings`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-forwarded-client-cert": "URI=spiffe://devicemesh/device/kitchen",
        },
        body: JSON.stringify({ device_id: device, temperature: 25.2 }),
      }).then(({ status }) => status);
    expect(await post("kitchen")).toBe(200);
    expect(await post("cellar")).toBe(400);
    expect(ingest.stored()).toEqual(["kitchen|temperature|25.2"]);
  });
});
