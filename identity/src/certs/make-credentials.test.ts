import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyDenyList, parseDenyList } from "../deny-list/deny-list.ts";
import { createTokenVerifier, parseTokenKeys } from "../users/jose-token-verifier.ts";
import { openCredentialFolder } from "./credential-folder.ts";
import { makeCredentials } from "./make-credentials.ts";
import { certsReport } from "./report.ts";
import { certsSettings } from "./settings.ts";

const nowMs = Date.UTC(2026, 10, 25);
const dayMs = 86_400_000;

describe("npm run certs", () => {
  let temporary: ReturnType<typeof temporaryFolder>;
  let folder: string;
  beforeEach(() => {
    temporary = temporaryFolder();
    folder = join(temporary.path, "certs");
  });
  afterEach(() => temporary[Symbol.dispose]());

  function configOf(...args: readonly string[]) {
    const loaded = loadSettings(certsSettings, { args: ["--out", folder, ...args], env: {} });
    if (loaded.kind !== "settings") throw new Error(loaded.text);
    return loaded.values;
  }
  const run = (args: readonly string[] = [], atMs = nowMs) =>
    makeCredentials(configOf(...args), { folder: openCredentialFolder(folder), nowMs: atMs });
  const made = async (args: readonly string[] = [], atMs = nowMs) =>
    (await run(args, atMs)).filter((credential) => credential.made).map(({ what }) => what.split(" (")[0]);
  const everything = [
    "CA",
    "server",
    "device my-thermostat",
    "gateway demo",
    "gateway seattle",
    "key of tokens",
    "user reader",
    "user operator",
  ];
  const signed = everything.filter((what) => what !== "CA" && what !== "key of tokens");
  const certificate = (name: string) => new X509Certificate(readFileSync(join(folder, name)));

  it("makes certificates that its CA has signed, each with its name", async () => {
    expect(await made(["--devices", "oven,lamp:2"])).toContain("device lamp:2");
    const ca = certificate("ca.pem");
    for (const [file, name] of [
      ["device-oven.pem", "URI:spiffe://devicemesh/device/oven"],
      ["device-lamp%3A2.pem", "URI:spiffe://devicemesh/device/lamp:2"],
      ["gateway-demo.pem", "URI:spiffe://devicemesh/gateway/demo"],
    ] as const) {
      expect(certificate(file).subjectAltName).toBe(name);
      expect(certificate(file).checkIssued(ca) && certificate(file).verify(ca.publicKey)).toBe(true);
      expect(certificate(file).keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    }
    expect(certificate("server.pem").checkHost("localhost")).toBeDefined();
    expect(certificate("server.pem").checkIP("::1")).toBeDefined();
    expect(certificate("server.pem").keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(ca.ca).toBe(true);
  });

  it("keeps a file of two CAs, and signs with the first one: so a CA is replaced while both are trusted", async () => {
    await run();
    const next = join(temporary.path, "next");
    await makeCredentials(configOf(), { folder: openCredentialFolder(next), nowMs });
    const oldCa = readFileSync(join(folder, "ca.pem"), "utf8");
    const nextCa = readFileSync(join(next, "ca.pem"), "utf8");
    writeFileSync(join(folder, "ca.pem"), `${oldCa}${nextCa}`);
    expect(await made()).toEqual([]);

    writeFileSync(join(folder, "ca.pem"), `${nextCa}${oldCa}`);
    writeFileSync(join(folder, "ca-key.pem"), readFileSync(join(next, "ca-key.pem")));
    expect(await made(["--renew"])).toEqual(signed);
    expect(readFileSync(join(folder, "ca.pem"), "utf8")).toBe(`${nextCa}${oldCa}`);
    const { publicKey } = new X509Certificate(nextCa);
    for (const file of ["server.pem", "device-my-thermostat.pem", "gateway-demo.pem"]) {
      expect(certificate(file).verify(publicKey)).toBe(true);
    }
    expect(await made()).toEqual([]);
  });

  it("makes tokens that its public keys verify, with their scopes", async () => {
    await run();
    const keys = parseTokenKeys(readFileSync(join(folder, "jwks.json"), "utf8"));
    const identify = createTokenVerifier({
      keys: () => keys,
      issuer: "devicemesh",
      audience: "devicemesh",
      denyList: emptyDenyList,
      clock: () => nowMs,
    });
    const userOf = (name: string) => {
      const token = readFileSync(join(folder, `user-${name}.jwt`), "utf8").trim();
      return identify(new Headers({ authorization: `Bearer ${token}` }));
    };
    expect([...(await userOf("reader")).scopes]).toEqual(["devicemesh.read"]);
    expect((await userOf("operator")).scopes.size).toBe(3);
    expect((await userOf("operator")).expiresMs).toBe(nowMs + 90 * dayMs);
  });

  it("keeps everything that is still valid", async () => {
    expect(await made()).toEqual(everything);
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    expect(await made()).toEqual([]);
    expect(await made([], nowMs + 58 * dayMs)).toEqual([]);
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(before);
  });

  it("renews credentials that expire soon or differ from the settings", async () => {
    await run();
    expect(await made([], nowMs + 82 * dayMs)).toEqual(signed);
    expect(await made(["--devices", "my-thermostat,oven"], nowMs + 82 * dayMs)).toEqual(["device oven"]);
    expect(await made(["--trust-domain", "elsewhere"], nowMs + 82 * dayMs)).toEqual([
      "device my-thermostat",
      "gateway demo",
      "gateway seattle",
    ]);
    expect(await made(["--token-issuer", "elsewhere"], nowMs + 82 * dayMs)).toContain("user reader");
    expect(await made(["--server-names", "mesh.example"], nowMs + 82 * dayMs)).toContain("server");
  });

  it("renews everything with --renew except the CA and the key of tokens", async () => {
    await run();
    const ca = certificate("ca.pem").fingerprint256;
    expect(await made(["--renew"])).toEqual(signed);
    expect(certificate("ca.pem").fingerprint256).toBe(ca);
  });

  it("renews credentials of a lost CA or key, and damaged ones", async () => {
    await run();
    rmSync(join(folder, "ca-key.pem"));
    expect(await made()).toEqual(["CA", "server", "device my-thermostat", "gateway demo", "gateway seattle"]);
    rmSync(join(folder, "token-key.json"));
    expect(await made()).toEqual(["key of tokens", "user reader", "user operator"]);
    writeFileSync(join(folder, "device-my-thermostat.pem"), "broken");
    writeFileSync(
      join(folder, "gateway-demo-key.pem"),
      readFileSync(join(folder, "gateway-seattle-key.pem")),
    );
    expect(await made()).toEqual(["device my-thermostat", "gateway demo"]);
  });

  it("renews a CA that would expire before its certificates", async () => {
    await run();
    expect(await made([], nowMs + 3600 * dayMs)).toContain("CA");
  });

  it.skipIf(process.platform === "win32")("keeps what is secret for its owner alone", async () => {
    await run();
    const secret = /-key\.(pem|json)$|\.jwt$/;
    const names = readdirSync(folder);
    expect(names.filter((name) => secret.test(name)).length).toBe(8);
    for (const name of names) {
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([
        name,
        secret.test(name) ? 0o600 : 0o644,
      ]);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of names.filter((other) => !secret.test(other))) {
      expect(readFileSync(join(folder, name), "utf8")).not.toMatch(/PRIVATE KEY|"d":/);
    }
  });

  it("writes a deny list once, and never changes it afterwards", async () => {
    await run();
    const file = join(folder, "denied.txt");
    expect(parseDenyList(readFileSync(file, "utf8"))).toEqual({
      entries: new Set(),
      problems: [],
      isNone: false,
    });
    writeFileSync(file, "token stolen\n");
    await run(["--renew"]);
    expect(readFileSync(file, "utf8")).toBe("token stolen\n");
  });

  it("prints what it made, its expiry, how to use it and how to revoke it", async () => {
    const credentials = await run();
    const text = certsReport(configOf(), credentials, { folder, nowMs });
    expect(text).toContain("until 2027-02-23T00:00Z");
    expect(text).toContain(`revoke: serial ${certificate("server.pem").serialNumber.toLowerCase()}`);
    expect(text).toContain("--generator-prefix demo-");
    expect(text.match(/^ {2}grpcurl /gm)?.length).toBe(5);
    const [line] = /token reader-\S+/.exec(text) ?? [""];
    expect(parseDenyList(line).problems).toEqual([]);
  });

  it.each([
    ["--devices", "no id"],
    ["--gateways", "-a"],
    ["--trust-domain", "A"],
  ])("rejects an invalid name and reports it: %s %s", async (...args) => {
    await expect(run(args)).rejects.toThrow(RangeError);
  });
});
