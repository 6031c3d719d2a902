import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { operatorSettings } from "@devicemesh/operator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSecrets } from "./secret-files.ts";
import { mountedFiles, projectFolder, stackFiles } from "./stack-files.ts";

const nowMs = Date.UTC(2026, 10, 25);
const make = (folder: string, hosts: readonly string[]) => makeSecrets({ folder, hosts, nowMs });
const allOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe("making secrets", () => {
  const folder = temporaryFolder();
  const read = (file: string) => readFileSync(join(folder.path, file), "utf8");
  const mounted = mountedFiles(stackFiles("swarm", { admin: true }))
    .filter(({ file }) => file.startsWith("stack/secrets/"))
    .map(({ kind, file }) => ({ kind, file: file.slice("stack/secrets/".length) }));
  beforeAll(() => make(folder.path, ["mesh.example", "192.0.2.7"]));
  afterAll(() => folder[Symbol.dispose]());

  it("makes every file of stack/secrets that the stack mounts", () => {
    expect(mounted.length).toBeGreaterThan(10);
    for (const { file } of mounted) expect(read(file).length).toBeGreaterThan(0);
  });

  it("lets only the owner read secrets", () => {
    for (const { file } of mounted.filter(({ kind }) => kind === "secrets")) {
      expect([file, statSync(join(folder.path, file)).mode & 0o077]).toEqual([file, 0]);
    }
  });

  it("keeps existing secrets, so that an update of the stack can still use its own database", async () => {
    const before = new Map(allOf(folder.path).map((file) => [file, readFileSync(file, "utf8")]));
    const again = await make(folder.path, ["mesh.example", "192.0.2.7"]);
    expect(again.filter(({ made }) => made)).toEqual([]);
    for (const [file, text] of before) expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("renews a certificate that raises the alert", async () => {
    using folder = temporaryFolder();
    await make(folder.path, ["mesh.example"]);
    const rules = readFileSync(join(projectFolder, "stack/prometheus/rules.yml"), "utf8");
    const alertDays = Number(/days_until_first_cert_expiring\) < (\d+)/.exec(rules)?.[1]);
    const file = join(folder.path, "certs/server.pem");
    const expiresMs = new X509Certificate(readFileSync(file)).validToDate.getTime();
    const atAlertMs = expiresMs - alertDays * 86_400_000;
    const made = await makeSecrets({ folder: folder.path, hosts: ["mesh.example"], nowMs: atAlertMs });
    expect(made).toContainEqual({ file: "certs/server.pem", made: true });
  });

  it("renews certificates and tokens on demand, and keeps the authority and every password", async () => {
    using folder = temporaryFolder();
    await make(folder.path, ["mesh.example"]);
    const made = await makeSecrets({ folder: folder.path, hosts: ["mesh.example"], nowMs, renew: true });
    const renewed = made.filter((one) => one.made).map(({ file }) => file);
    expect(renewed).toContain("certs/server.pem");
    expect(renewed).toContain("certs/gateway-demo.pem");
    expect(renewed).not.toContain("certs/ca.pem");
    expect(renewed.filter((name) => !name.startsWith("certs/"))).toEqual([]);
  });

  it("makes different ones for another stack", async () => {
    using other = temporaryFolder();
    await make(other.path, ["mesh.example"]);
    for (const file of readdirSync(other.path).filter((name) => name !== "certs")) {
      expect(readFileSync(join(other.path, file), "utf8")).not.toBe(read(file));
    }
  });

  it("the connection string has the password, all members, and the database that mongo-express shows", () => {
    const url = new URL(
      read("mongodb_url")
        .replace("mongodb:", "http:")
        .replace(/@[^/]+/, "@members"),
    );
    expect(url.password).toBe(read("mongo_password"));
    expect(read("mongodb_url")).toContain("@mongo-1:27017,mongo-2:27017,mongo-3:27017/");
    expect(url.pathname).toBe(`/${operatorSettings.settings.mongodbDatabase.default}`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      replicaSet: "devicemesh",
      authSource: "admin",
      w: "majority",
    });
  });

  it("the key suits the database's members: at most 1024 characters of base64, on one line", () => {
    expect(read("mongo_keyfile")).toMatch(/^[A-Za-z0-9+/=]{6,1024}$/);
  });

  it("the certificate of the front door has the names for users, and the generator's", () => {
    const certificate = new X509Certificate(read("certs/server.pem"));
    for (const name of ["mesh.example", "envoy", "localhost"]) expect(certificate.checkHost(name)).toBe(name);
    expect(certificate.checkIP("192.0.2.7")).toBe("192.0.2.7");
    expect(certificate.checkHost("elsewhere.example")).toBeUndefined();
  });
});
