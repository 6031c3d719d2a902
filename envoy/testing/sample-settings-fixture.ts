import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestAuthority, writeKeyPair } from "@devicemesh/identity/testing/test-credentials";
import { readContractImage } from "@devicemesh/proto/image";
import type { EnvoySettings } from "../src/settings.ts";

/** For tests and checks: settings without any optional part, and with all of them. */
export async function sampleSettings(
  folder: string,
): Promise<{ readonly least: EnvoySettings; readonly most: EnvoySettings }> {
  const contractImage = join(folder, "image.binpb");
  writeFileSync(contractImage, readContractImage());
  const least: EnvoySettings = {
    nodeId: "sample",
    ingest: [{ host: "127.0.0.1", port: 50051 }],
    query: [{ host: "127.0.0.1", port: 8081 }],
    generator: [{ host: "127.0.0.1", port: 8082 }],
    plain: { host: "127.0.0.1", port: 8080 },
    metrics: { host: "127.0.0.1", port: 9901 },
    admin: { socketFile: join(folder, "admin.sock") },
    accessLog: "/dev/null",
    contractImage,
  };
  const authority = await createTestAuthority();
  const authorityFile = join(folder, "authority.pem");
  writeFileSync(authorityFile, authority.certificate);
  const server = writeKeyPair(folder, "server", authority.server);
  const jwksFile = join(folder, "users.jwks.json");
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  writeFileSync(jwksFile, JSON.stringify({ keys: [{ ...key, kid: "sample", alg: "ES256" }] }));
  const most: EnvoySettings = {
    ...least,
    ingest: [{ host: "tasks.ingest", port: 50051 }],
    query: [{ host: "tasks.query", port: 8080 }],
    generator: [{ host: "tasks.generator", port: 8080 }],
    aggregator: [{ host: "tasks.aggregator", port: 8080 }],
    gateway: [{ host: "tasks.gateway", port: 8082 }],
    admin: { host: "127.0.0.1", port: 9902 },
    public: { host: "0.0.0.0", port: 8443, ...server },
    users: { jwksFile, issuer: "https://issuer.example", audience: "devicemesh" },
    devices: {
      host: "0.0.0.0",
      port: 8444,
      ...server,
      authority: authorityFile,
      trustDomain: "devicemesh",
      denied: ["spiffe://devicemesh/device/stolen"],
    },
    corsOrigins: ["https://page.example", "*"],
    tracing: { collector: { host: "collector", port: 4317 }, percent: 1.5 },
  };
  return { least, most };
}
