import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { connectionDefaults } from "@devicemesh/kit/server/connection-limits";
import { startSocketServer } from "@devicemesh/kit/server/socket-server";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import {
  accessOff,
  createAccessFiles,
  createTestAuthority,
  createTestIssuer,
} from "../../testing/test-credentials.ts";
import { openSenderAccess } from "../open-access.ts";
import { coversDevice, isDeviceClaim } from "./device-claim.ts";

const files = createAccessFiles();
afterAll(() => files[Symbol.dispose]());
const nowMs = Date.now();
const issuer = await createTestIssuer(nowMs);
const authority = await createTestAuthority(nowMs);
const jwks = files.write("jwks.json", issuer.publicKeys);
const tls = {
  serverCertificate: files.write("server.pem", authority.server.certificate),
  serverKey: files.write("server-key.pem", authority.server.key),
  deviceCa: files.write("ca.pem", authority.certificate),
};

function open(settings: Partial<Parameters<typeof openSenderAccess>[0]> = {}) {
  const config = {
    ...accessOff,
    jwks: undefined,
    deviceCa: undefined,
    denyList: undefined,
    trustDomain: "devicemesh",
    tokenIssuer: "devicemesh",
    tokenAudience: "devicemesh",
    ...settings,
  };
  const access = openSenderAccess(config, [], {
    logger: silentLogger(),
    clock: () => nowMs,
    pollIntervalMs: 20,
  });
  onTestFinished(() => access[Symbol.dispose]());
  return access;
}
const bearer = (token: string) => ({
  get: (name: string) => (name === "authorization" ? `Bearer ${token}` : null),
});
const sendScope = ["devicemesh.send"];

it("lets any client send if neither tokens nor certificates are configured", () => {
  expect(open().identify).toBeUndefined();
});

describe("a token", () => {
  it("may send for the devices of its claim only", async () => {
    const { identify } = open({ jwks });
    const token = await issuer.token({ scopes: sendScope, devices: ["thermostat", "plant-7*"] });
    const { publisher, mayRead } = await identify!({ peer: "", headers: bearer(token) });
    const may = (id: string) => publisher.mayPublish(id);
    expect(["thermostat", "plant-7", "plant-7.boiler"].map(may)).toEqual([true, true, true]);
    expect(["thermostat2", "thermostat.x", "plant-70", "plant", "*"].map(may)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([mayRead, publisher.refusalText]).toEqual([false, expect.stringContaining("plant-7*")]);
  });

  it.each([
    [{ scopes: ["devicemesh.read"], devices: ["a"] }, "devicemesh.send"],
    [{ scopes: sendScope }, "lists no devices"],
    [{ scopes: sendScope, devices: ["a b"] }, "list of device ids"],
    [{ scopes: sendScope, devices: ["a"], expiresMs: nowMs - 60_000 }, "expired"],
  ])("is rejected if it may not send: %j", async (request, text) => {
    const { identify } = open({ jwks });
    await expect(identify!({ peer: "", headers: bearer(await issuer.token(request)) })).rejects.toThrow(text);
  });

  it("is revoked by the deny list, also for an open connection", async () => {
    const denyList = files.write("denied.txt", "# nothing\nnone\n");
    const { identify } = open({ jwks, denyList });
    const token = await issuer.token({ scopes: sendScope, devices: ["*"], tokenId: "stolen" });
    const { publisher } = await identify!({ peer: "", headers: bearer(token) });
    expect(publisher.problem()).toBeUndefined();
    files.write("denied.txt", "token stolen\n");
    await expect.poll(() => publisher.problem()?.message).toContain("revoked");
    await expect(identify!({ peer: "", headers: bearer(token) })).rejects.toThrow("revoked");
  });

  it("is required if tokens are configured", async () => {
    const { identify } = open({ jwks });
    await expect(identify!({ peer: "", headers: { get: () => null } })).rejects.toThrow("no token");
  });
});

it("a certificate may send for the devices of its name, and a connection without one may use a token", async () => {
  const access = open({ ...tls, jwks });
  const peers: string[] = [];
  const server = await startSocketServer({
    host: "127.0.0.1",
    port: 0,
    limits: connectionDefaults,
    isBusy: () => true,
    shutdownGraceMs: 0,
    accept: access.tls!.terminate((socket) => {
      peers.push(`${socket.remoteAddress}:${socket.remotePort}`);
    }),
    drain() {},
    onError() {},
  });
  onTestFinished(() => server.close());
  const ca = readFileSync(tls.deviceCa);
  const client = await authority.client("spiffe://devicemesh/device/boiler");
  for (const identity of [{ key: client.key, cert: client.certificate }, {}]) {
    const socket = connect({
      host: "127.0.0.1",
      port: server.port,
      ca,
      servername: "localhost",
      ...identity,
    });
    onTestFinished(() => void socket.destroy());
    await new Promise((resolve) => socket.once("secureConnect", resolve));
  }
  await expect.poll(() => peers.length).toBe(2);
  const none = { get: () => null };
  const { publisher } = await access.identify!({ peer: peers[0]!, headers: none });
  expect([publisher.mayPublish("boiler"), publisher.mayPublish("other")]).toEqual([true, false]);
  await expect(access.identify!({ peer: peers[1]!, headers: none })).rejects.toThrow("no token");
  const token = await issuer.token({ scopes: sendScope, devices: ["a"] });
  expect(
    (await access.identify!({ peer: peers[1]!, headers: bearer(token) })).publisher.mayPublish("a"),
  ).toBe(true);
});

it("accepts only lists of ids and prefixes as claims", () => {
  expect([["a", "a-*", "*"], []].map(isDeviceClaim)).toEqual([true, true]);
  expect(["a", [1], ["a*b"], ["**"], [""], [" "], null].map(isDeviceClaim)).toEqual(Array(7).fill(false));
  expect(coversDevice(["a-*"], "a-1")).toBe(true);
  expect(coversDevice(["a-*"], "a")).toBe(false);
});
