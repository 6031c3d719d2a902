import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createTestAuthority,
  type TestAuthority,
  writeKeyPair,
} from "@devicemesh/identity/testing/test-credentials";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { credentials, status } from "@grpc/grpc-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";
import { type Envoy, startEnvoy } from "./start-envoy.ts";

const publish = "/devicemesh.v1.IngestService/PublishReadingBatch";
const listSeries = "/devicemesh.v1.QueryService/ListSeries";
const deviceName = "spiffe://devicemesh/device/thermostat-1";

describe.skipIf(envoyBinary === undefined)("identity at Envoy", () => {
  const folder = temporaryFolder();
  const stack = new AsyncDisposableStack();
  stack.defer(() => folder[Symbol.dispose]());
  let authority: TestAuthority;
  let backend: Awaited<ReturnType<typeof startBackend>>;
  let envoy: Envoy;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  beforeAll(async () => {
    authority = await createTestAuthority();
    const authorityFile = join(folder.path, "authority.pem");
    writeFileSync(authorityFile, authority.certificate);
    const server = writeKeyPair(folder.path, "server", authority.server);
    keys = await generateKeyPair("ES256");
    const jwksFile = join(folder.path, "users.jwks.json");
    writeFileSync(
      jwksFile,
      JSON.stringify({
        keys: [{ ...(await exportJWK(keys.publicKey)), kid: "one", alg: "ES256", use: "sig" }],
      }),
    );
    backend = stack.use(await startBackend("answers"));
    envoy = stack.use(
      await startEnvoy({
        ...quietEnvoy,
        ingest: [localhost(backend.port)],
        query: [localhost(backend.port)],
        generator: [localhost(backend.port)],
        aggregator: [localhost(backend.port)],
        public: { host: "127.0.0.1", port: 0, ...server },
        users: { jwksFile, issuer: "https://issuer.example", audience: "devicemesh" },
        devices: {
          host: "127.0.0.1",
          port: 0,
          ...server,
          authority: authorityFile,
          trustDomain: "devicemesh",
          denied: ["spiffe://devicemesh/device/stolen"],
        },
      }),
    );
  });
  afterAll(() => stack.disposeAsync());

  const lastAsked = () => backend.asked.at(-1) ?? {};

  describe("for devices", () => {
    async function call(
      client: Awaited<ReturnType<TestAuthority["client"]>> | undefined,
      path = publish,
      headers = {},
    ) {
      using raw = createRawClient(
        `127.0.0.1:${envoy.devices?.port}`,
        credentials.createSsl(
          Buffer.from(authority.certificate),
          client ? Buffer.from(client.key) : null,
          client ? Buffer.from(client.certificate) : null,
        ),
      );
      return await raw.call(path, headers);
    }
    const device = (name: string) => authority.client(name);

    it("forwards the name in the certificate, and no other", async () => {
      const claimed = {
        "x-devicemesh-device": "spiffe://devicemesh/device/another",
        "x-forwarded-client-cert": "URI=spiffe://devicemesh/device/another",
      };
      expect((await call(await device(deviceName), publish, claimed)).code).toBe(0);
      expect(lastAsked()["x-devicemesh-device"]).toBe(deviceName);
      const forwarded = `${lastAsked()["x-forwarded-client-cert"]}`;
      expect(forwarded).toContain(`URI=${deviceName}`);
      expect(forwarded).toContain("Cert=");
      expect(forwarded).not.toContain("another");
    });

    it("rejects clients without a certificate, or with one of another authority", async () => {
      const other = await createTestAuthority();
      const before = backend.asked.length;
      expect((await call(undefined)).code).toBe(status.UNAVAILABLE);
      const foreign = await other.client(deviceName);
      expect((await call(foreign)).code).toBe(status.UNAVAILABLE);
      expect(backend.asked.length).toBe(before);
    });

    it("rejects names of another trust domain, and denied names", async () => {
      for (const name of ["spiffe://elsewhere/device/thermostat-1", "spiffe://devicemesh/device/stolen"]) {
        expect((await call(await device(name))).code).toBe(status.PERMISSION_DENIED);
      }
    });

    it("routes them to ingest only", async () => {
      expect((await call(await device(deviceName), listSeries)).code).toBe(status.UNIMPLEMENTED);
    });
  });

  describe("for users", () => {
    async function call(token: string | undefined, path = listSeries, headers = {}) {
      using raw = createRawClient(
        `127.0.0.1:${envoy.public?.port}`,
        credentials.createSsl(Buffer.from(authority.certificate)),
      );
      return await raw.call(path, { ...headers, ...(token && { authorization: `Bearer ${token}` }) });
    }
    function token(
      changes: { issuer?: string; audience?: string; expires?: string; scope?: string } = {},
    ): Promise<string> {
      const { issuer = "https://issuer.example", audience = "devicemesh", expires = "5m" } = changes;
      return new SignJWT({ scope: changes.scope ?? "read" })
        .setProtectedHeader({ alg: "ES256", kid: "one" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject("someone")
        .setExpirationTime(expires)
        .sign(keys.privateKey);
    }

    it("forwards the claims of the token, and neither the token nor headers of the caller", async () => {
      const claimed = { "x-devicemesh-jwt-payload": "e30", "x-devicemesh-device": deviceName };
      expect((await call(await token(), listSeries, claimed)).code).toBe(0);
      const payload = Buffer.from(`${lastAsked()["x-devicemesh-jwt-payload"]}`, "base64url").toString();
      expect(JSON.parse(payload)).toMatchObject({ sub: "someone", scope: "read" });
      expect(lastAsked()).not.toHaveProperty("authorization");
      expect(lastAsked()).not.toHaveProperty("x-devicemesh-device");
    });

    it("reads a token from the authorization header only", async () => {
      const good = await token();
      for (const path of [`${listSeries}?access_token=${good}`, `${listSeries}?token=${good}`]) {
        expect([path, (await call(undefined, path)).code]).toEqual([path, status.UNAUTHENTICATED]);
      }
      expect((await call(undefined, listSeries, { cookie: `access_token=${good}` })).code).toBe(
        status.UNAUTHENTICATED,
      );
      expect((await call(good)).code).toBe(0);
    });

    it("rejects a call without a token, and with an invalid one", async () => {
      const before = backend.asked.length;
      const altered = (await token()).replace(/.{6}$/, "AAAAAA");
      const bad = [
        undefined,
        await token({ issuer: "https://other.example" }),
        await token({ expires: "-5m" }),
        altered,
      ];
      for (const each of bad) expect((await call(each)).code).toBe(status.UNAUTHENTICATED);
      expect((await call(await token({ audience: "other" }))).code).toBe(status.PERMISSION_DENIED);
      expect(backend.asked.length).toBe(before);
    });

    it("lets only operators call the aggregator, which does not check scopes", async () => {
      const windowJob = "/devicemesh.v1.AggregatorService/GetWindowJobStatus";
      const codeWith = async (scope: string) => (await call(await token({ scope }), windowJob)).code;
      for (const scope of ["devicemesh.operate", "devicemesh.read devicemesh.operate devicemesh.generator"]) {
        expect(await codeWith(scope)).toBe(0);
      }
      for (const scope of ["", "devicemesh.read", "devicemesh.operated", "x-devicemesh.operate"]) {
        expect([scope, await codeWith(scope)]).toEqual([scope, status.PERMISSION_DENIED]);
      }
      expect((await call(undefined, windowJob)).code).toBe(status.UNAUTHENTICATED);
    });

    it("accepts no readings from them", async () => {
      expect((await call(await token(), publish)).code).toBe(status.PERMISSION_DENIED);
    });

    it("answers health and reflection to everyone", async () => {
      for (const path of [
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      ]) {
        expect((await call(undefined, path)).code).toBe(0);
      }
    });
  });
});
