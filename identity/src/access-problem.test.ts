import { describe, expect, it } from "vitest";
import { accessProblem } from "./access-problem.ts";

const local = { host: "127.0.0.1" };
const outside = { host: "0.0.0.0" };
const server = { serverCertificate: "server.pem", serverKey: "key.pem" };
const both = ["users", "devices"] as const;

describe("accessProblem", () => {
  it("requires nothing on loopback", () => {
    for (const host of ["127.0.0.1", "127.8.8.8", "::1", "localhost"]) {
      expect(accessProblem({ host }, both)).toBeUndefined();
    }
  });

  it("names both solutions beyond loopback", () => {
    const problem = accessProblem(outside, both);
    expect(problem).toContain("--host 0.0.0.0");
    expect(problem).toContain("--jwks and --device-ca");
    expect(problem).toContain("npm run certs");
    expect(problem).toContain("--insecure-beyond-loopback");
  });

  it("requires only what a service needs", () => {
    expect(accessProblem(outside, ["users"])).not.toContain("--device-ca");
    expect(accessProblem(outside, ["devices"])).not.toContain("--jwks");
  });

  it.each([
    { insecureBeyondLoopback: true },
    { trustForwardedIdentity: true },
    { jwks: "jwks.json", deviceCa: "ca.pem", ...server },
  ])("lets a service listen with %o", (flags) => {
    expect(accessProblem({ ...outside, ...flags }, both)).toBeUndefined();
  });

  it("does not accept half of the identity settings", () => {
    expect(accessProblem({ ...outside, jwks: "jwks.json", ...server }, both)).toContain("--device-ca");
    expect(accessProblem({ ...outside, deviceCa: "ca.pem", ...server }, both)).toContain("--jwks");
  });

  it("does not accept tokens without TLS", () => {
    expect(accessProblem({ ...outside, jwks: "jwks.json" }, ["users"])).toContain("--server-cert");
  });

  it.each([
    [{ serverCertificate: "server.pem" }, "need each other"],
    [{ serverKey: "key.pem" }, "need each other"],
    [{ deviceCa: "ca.pem" }, "needs --server-cert"],
    [{ deviceCa: "ca.pem", ...server, trustForwardedIdentity: true }, "exclude each other"],
    [{ denyList: "denied.txt" }, "--deny-list needs"],
  ])("reports flags that cannot be combined: %o", (flags, text) => {
    expect(accessProblem({ ...local, ...flags }, both)).toContain(text);
    expect(accessProblem({ ...local, insecureBeyondLoopback: true, ...flags }, both)).toContain(text);
  });
});
