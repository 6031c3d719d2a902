import { request } from "node:https";
import {
  createAccessFiles,
  createTestAuthority,
  createTestIssuer,
} from "@devicemesh/identity/testing/test-credentials";
import mqtt from "mqtt";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { startTestMesh } from "../testing/test-mesh.ts";

const files = createAccessFiles();
afterAll(() => files[Symbol.dispose]());
const [issuer, authority] = [await createTestIssuer(), await createTestAuthority()];
const ca = authority.certificate;
const identity = [
  ...["--jwks", files.write("jwks.json", issuer.publicKeys)],
  ...["--device-ca", files.write("ca.pem", ca)],
  ...["--server-cert", files.write("server.pem", authority.server.certificate)],
  ...["--server-key", files.write("server-key.pem", authority.server.key)],
];

type Identity = { readonly token?: string; readonly cert?: string; readonly key?: string };

function post(address: string, deviceId: string, { token, ...pair }: Identity) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  return new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const call = request(
      `https://${address}/v1/readings`,
      { method: "POST", headers, ca, ...pair },
      async (response) => {
        const body = JSON.parse(Buffer.concat(await response.toArray()).toString()) as Record<
          string,
          unknown
        >;
        resolve({ status: response.statusCode ?? 0, body });
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify({ device_id: deviceId, temperature: 21.5 }));
  });
}

it("stores over HTTP and MQTT the readings that a token or a certificate covers, and no others", async () => {
  const mesh = await startTestMesh(...identity, "--mqtt-port", "0");
  const token = await issuer.token({ scopes: ["devicemesh.send"], devices: ["kitchen*"] });
  const pair = await authority.client("spiffe://devicemesh/device/boiler");
  const certificate = { cert: pair.certificate, key: pair.key };

  expect((await post(mesh.query, "kitchen", {})).status).toBe(401);
  expect((await post(mesh.query, "kitchen", { token: await issuer.token() })).status).toBe(403);
  expect((await post(mesh.query, "kitchen", { token })).status).toBe(200);
  expect(await post(mesh.query, "boiler", { token })).toMatchObject({
    status: 400,
    body: { refused_readings: [{ rule: "device_id.identity" }] },
  });
  expect((await post(mesh.query, "boiler", certificate)).status).toBe(200);
  expect((await post(mesh.query, "kitchen", certificate)).status).toBe(400);

  const connect = (options: mqtt.IClientOptions) => {
    const [host, port] = mesh.mqtt!.split(":");
    return mqtt.connectAsync({
      host: host!,
      port: Number(port),
      protocol: "mqtts",
      ca,
      reconnectPeriod: 0,
      protocolVersion: 5,
      ...options,
    });
  };
  await expect(connect({})).rejects.toThrow();
  const client = await connect({ username: "device", password: token });
  onTestFinished(() => client.endAsync(true));
  await client.publishAsync("kitchen.oven/temperature", "1", { qos: 1 });
  await expect(client.publishAsync("boiler/temperature", "1", { qos: 1 })).rejects.toMatchObject({
    code: 0x87,
  });
  const boiler = await connect(certificate);
  onTestFinished(() => boiler.endAsync(true));
  await boiler.publishAsync("boiler/temperature", "1", { qos: 1 });
});
