import { describe, expect, it } from "vitest";
import { callsOf } from "./calls.ts";

const facts = {
  ingest: "127.0.0.1:1",
  query: "127.0.0.1:2",
  generator: "127.0.0.1:3",
  data: "",
  dataKind: "",
};

describe("callsOf", () => {
  it("uses the address at which the page was requested, and contains no text that a shell would run", () => {
    expect(callsOf(facts, { host: "mesh.example:80" }).query).toBe("mesh.example:80");
    expect(callsOf(facts, { ":authority": "[::1]:8080" }).query).toBe("[::1]:8080");
    expect(callsOf(facts, { host: "$(reboot)" }).query).toBe("127.0.0.1:2");
    expect(callsOf(facts, { host: "mesh.example:80" }).ingest).toBe("127.0.0.1:1");
  });

  it("uses that address for all other services, too", () => {
    const beside = { ...facts, ingest: facts.query, generator: facts.query };
    const { ingest, generator } = callsOf(beside, { host: "mesh.example:80" });
    expect([ingest, generator]).toEqual(Array(2).fill("mesh.example:80"));
  });

  it("uses Envoy's address for every service if there is one, and names certificates and tokens over TLS", () => {
    const plain = callsOf(facts, { host: "mesh.example", "x-forwarded-proto": "http" });
    expect([plain.query, plain.ingest, plain.generator]).toEqual(Array(3).fill("mesh.example"));
    const secure = callsOf(facts, { host: "mesh.example:8443", "x-forwarded-proto": "https" });
    expect(secure).toMatchObject({
      scheme: "https",
      query: "mesh.example:8443",
      ingest: "mesh.example:8444",
    });
    expect(secure.generatorFlags).toContain("user-operator.jwt");
    expect(secure.ingestFlags).toContain("-cert certs/device");
    expect(JSON.stringify(secure)).not.toContain("-plaintext");
  });
});
