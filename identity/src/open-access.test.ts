import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestAuthority, createTestIssuer } from "../testing/test-credentials.ts";
import { openDeviceAccess, openUserAccess } from "./open-access.ts";

const off = {
  host: "127.0.0.1",
  jwks: undefined,
  tokenIssuer: "devicemesh",
  tokenAudience: "devicemesh",
  deviceCa: undefined,
  trustDomain: "devicemesh",
  serverCertificate: undefined,
  serverKey: undefined,
  denyList: undefined,
  trustForwardedIdentity: false,
  insecureBeyondLoopback: false,
};
const dependencies = { logger: silentLogger(), clock: Date.now };

describe("openUserAccess", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder[Symbol.dispose]());
  const write = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const open = (config: Partial<Parameters<typeof openUserAccess>[0]>) =>
    openUserAccess({ ...off, ...config }, dependencies)[Symbol.dispose]();

  it("does not start with a malformed deny list, and names the line", async () => {
    const jwks = write("jwks.json", (await createTestIssuer()).publicKeys);
    const denyList = write("denied.txt", "token a\ntokne b\n");
    expect(() => open({ jwks, denyList })).toThrow(SettingsError);
    expect(() => open({ jwks, denyList })).toThrow(/--deny-list: .*line 2: "tokne b"/);
  });

  it.each([
    ["no JSON", "{", ""],
    ["no keys", '{"keys":[]}', "has no keys"],
    ["a private key", '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c"}]}', "private key"],
    ["a secret", '{"keys":[{"kty":"oct","k":"c"}]}', "private key"],
  ])("does not start with %s for keys", (_, text, words) => {
    const jwks = write("jwks.json", text);
    expect(() => open({ jwks })).toThrow(SettingsError);
    expect(() => open({ jwks })).toThrow(words);
  });

  it("does not start with the key of another certificate, or without the file", async () => {
    const ca = await createTestAuthority();
    const serverCertificate = write("server.pem", ca.server.certificate);
    const serverKey = write("key.pem", (await ca.client("spiffe://devicemesh/device/a")).key);
    expect(() => open({ serverCertificate, serverKey })).toThrow(SettingsError);
    expect(() => open({ serverCertificate, serverKey: join(folder.path, "nowhere.pem") })).toThrow(
      /--server-key: .*nowhere/,
    );
  });
});

describe("openDeviceAccess", () => {
  it("is off, or trusts Envoy, as configured", () => {
    using nothing = openDeviceAccess(off, dependencies);
    expect([nothing.identityOf, nothing.tls]).toEqual([undefined, undefined]);
    using behind = openDeviceAccess({ ...off, trustForwardedIdentity: true }, dependencies);
    expect(behind.identityOf).toBeDefined();
    expect(behind.tls).toBeUndefined();
  });

  it("requires certificates, not tokens, beyond this machine", () => {
    expect(() => openDeviceAccess({ ...off, host: "0.0.0.0" }, dependencies)).toThrow(/set --device-ca \(/);
  });
});
