import { describe, expect, it } from "vitest";
import { isLoopback, loopbackHosts } from "../server/hosts.ts";
import { hostProblem } from "./connect-handler.ts";

describe("the host of a request", () => {
  it.each([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1",
    "127.0.0.1:9",
    "127.0.0.2:8080",
    "[::1]:8080",
    undefined,
  ])("may be a name of this machine: %s", (host) => expect(hostProblem(host, loopbackHosts)).toBeUndefined());

  it.each([
    "attacker.example",
    "attacker.example:8080",
    "localhost.attacker.example",
    "127.0.0.1.nip.example",
    "10.0.0.1",
  ])("may not be another name without authentication: %s", (host) => {
    expect(hostProblem(host, loopbackHosts)).toMatchObject({ kind: "foreign" });
    expect(hostProblem(host, "*")).toBeUndefined();
  });

  it.each(["[", "", "a b", "http://a", "a:b", "a:123456", "[::1", "a/b", "user@a", "a,b"])(
    "is rejected as malformed, with and without authentication: %j",
    (host) => {
      expect(hostProblem(host, loopbackHosts)).toMatchObject({ kind: "malformed" });
      expect(hostProblem(host, "*")).toMatchObject({ kind: "malformed" });
    },
  );
});

describe("isLoopback", () => {
  it("distinguishes its own addresses from other machines' and from all addresses", () => {
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com", "example.com", ""]) {
      expect(isLoopback(host)).toBe(false);
    }
  });
});
