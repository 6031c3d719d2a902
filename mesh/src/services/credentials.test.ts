import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { findCredentials } from "./credentials.ts";

const all = [
  "ca.pem",
  "server.pem",
  "server-key.pem",
  "jwks.json",
  "denied.txt",
  "gateway-plant%3A7.pem",
  "gateway-plant%3A7-key.pem",
  "device-my-thermostat.pem",
];

describe("findCredentials", () => {
  it("finds the files of npm run certs, and a gateway for the generator", () => {
    using folder = temporaryFolder();
    for (const name of all) writeFileSync(join(folder.path, name), "");
    const { gateway, authority } = findCredentials(folder.path);
    expect(authority).toBe(join(folder.path, "ca.pem"));
    expect(gateway).toEqual({
      prefix: "plant:7-",
      certificate: join(folder.path, "gateway-plant%3A7.pem"),
      key: join(folder.path, "gateway-plant%3A7-key.pem"),
    });
  });

  it.each(all.slice(0, -1))("reports how to make %s if it is missing", (name) => {
    using folder = temporaryFolder();
    for (const each of all) writeFileSync(join(folder.path, each), "");
    rmSync(join(folder.path, name));
    expect(() => findCredentials(folder.path)).toThrow(`npm run certs -- --out ${folder.path}`);
  });

  it("reports how to make a missing folder", () => {
    expect(() => findCredentials("./nowhere")).toThrow("--certs ./nowhere has no ca.pem: npm run certs");
  });
});
