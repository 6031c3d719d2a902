import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { findEnvoy } from "@devicemesh/engines/testing/host-tools";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import type {
  IngestServiceClient,
  PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEdgeWithIdentity } from "../testing/edge-identity-fixture.ts";

const envoyBinary = findEnvoy();
const hourMs = 3_600_000;
const oven = "spiffe://devicemesh/device/oven";

type Answer = { readonly error?: ServiceError; readonly response?: PublishReadingsResponse };

/** Streams one reading of each device. */
function publish(
  client: IngestServiceClient,
  deviceIds: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const unit = openUnit(client, headers);
  unit.write(deviceIds);
  return unit.end();
}

/** An open unit. */
function openUnit(client: IngestServiceClient, headers: Readonly<Record<string, string>> = {}) {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const call = client.publishReadings(Metadata.fromHttp2Headers(headers), (error, response) =>
    resolve(error ? { error } : { response }),
  );
  call.on("error", () => {});
  return {
    write: (deviceIds: readonly string[]) => void call.write({ readings: deviceIds.map(readingOf) }),
    end() {
      call.end();
      return promise;
    },
  };
}

function readingOf(deviceId: string): Reading {
  return {
    deviceId,
    timestamp: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
    measurement: { $case: "thermostat", value: { temperature: 21.5 } },
  };
}

/** Returns the error of a rejected Connect call. */
async function refusalOf(
  call: Promise<unknown>,
): Promise<{ code: Code | undefined; reason: string | undefined }> {
  try {
    await call;
    return { code: undefined, reason: undefined };
  } catch (error) {
    const connectError = ConnectError.from(error);
    return { code: connectError.code, reason: connectError.findDetails(ErrorInfoSchema)[0]?.reason };
  }
}

// Without Python to install Envoy, the test command prints a notice, and CI counts these as failures.
describe.skipIf(envoyBinary === undefined)("through Envoy", () => {
  let edge: Awaited<ReturnType<typeof startEdgeWithIdentity>>;
  beforeAll(async () => {
    edge = await startEdgeWithIdentity(envoyBinary ?? "");
  });
  afterAll(() => edge?.[Symbol.asyncDispose]());

  describe("a device", () => {
    it("sends its own readings; those of other devices are rejected one by one", async () => {
      const client = edge.deviceClient(await edge.certified(oven));
      const { response } = await publish(client, ["oven", "lamp", "oven-2", "oven"]);
      expect(response).toMatchObject({ accepted: 2n, refused: 2n });
      expect(response?.refusedReadings).toMatchObject([
        { ordinal: 1n, fieldPath: "device_id", ruleId: "device_id.identity" },
        { ordinal: 2n, fieldPath: "device_id", ruleId: "device_id.identity" },
      ]);
    });

    it("that is a gateway sends the readings that its prefix covers", async () => {
      const client = edge.deviceClient(await edge.certified("spiffe://devicemesh/gateway/plant-7"));
      const { response } = await publish(client, ["plant-7.a", "plant-70.a", "plant-7:b"]);
      expect(response).toMatchObject({ accepted: 2n, refused: 1n });
    });

    it("cannot claim another name in a header", async () => {
      const client = edge.deviceClient(await edge.certified(oven));
      const claimed = { "x-forwarded-client-cert": "URI=spiffe://devicemesh/device/lamp" };
      const { response } = await publish(client, ["lamp"], claimed);
      expect(response).toMatchObject({ accepted: 0n, refused: 1n });
    });

    it.each([
      ["without a certificate", async () => edge.anonymous],
      ["with an expired one", () => edge.certified(oven, { notAfterMs: Date.now() - hourMs })],
      ["with one of another CA", () => edge.certified(oven, { authority: edge.stranger })],
    ])("cannot connect %s", async (_, credentials) => {
      const before = edge.memory.messages.length;
      const { error } = await publish(edge.deviceClient(await credentials()), ["oven"]);
      expect(error?.code).toBe(status.UNAVAILABLE);
      expect(edge.memory.messages.length).toBe(before);
    });

    it("with a name of another trust domain is rejected", async () => {
      const client = edge.deviceClient(await edge.certified("spiffe://elsewhere/device/oven"));
      expect((await publish(client, ["oven"])).error?.code).toBe(status.PERMISSION_DENIED);
    });

    it("with a name that is neither device nor gateway gets an error", async () => {
      const client = edge.deviceClient(await edge.certified("spiffe://devicemesh/user/oven"));
      const { error } = await publish(client, ["oven"]);
      expect(error?.code).toBe(status.UNAUTHENTICATED);
      expect(error?.details).toContain("spiffe://devicemesh/device/<id>");
    });

    it("is rejected as soon as the deny list names it, without a restart, and no other client is", async () => {
      const stolen = edge.deviceClient(await edge.certified("spiffe://devicemesh/device/stolen"));
      const other = edge.deviceClient(await edge.certified(oven));
      expect((await publish(stolen, ["stolen"])).response).toMatchObject({ accepted: 1n });
      edge.deny("uri spiffe://devicemesh/device/stolen\n");
      await waitUntil(async () => (await publish(stolen, ["stolen"])).error?.code === status.UNAUTHENTICATED);
      expect((await publish(other, ["oven"])).response).toMatchObject({ accepted: 1n });
    });

    it("is rejected as soon as the deny list has the serial number of its certificate, on an open stream too; a new one works", async () => {
      const name = "spiffe://devicemesh/device/lost";
      const { serial, shown } = await edge.certifiedBySerial(name);
      const lost = edge.deviceClient(shown);
      expect((await publish(lost, ["lost"])).response).toMatchObject({ accepted: 1n });
      const open = openUnit(lost);
      open.write(["lost"]);
      edge.deny(`serial ${serial}\n`);
      await waitUntil(async () => (await publish(lost, ["lost"])).error?.code === status.UNAUTHENTICATED);
      open.write(["lost"]);
      expect((await open.end()).error?.code).toBe(status.UNAUTHENTICATED);
      const renewed = edge.deviceClient(await edge.certified(name));
      expect((await publish(renewed, ["lost"])).response).toMatchObject({ accepted: 1n });
    });
  });

  describe("a user", () => {
    const ask = (token: string | undefined, headers: Readonly<Record<string, string>> = {}) =>
      createClient(QueryService, edge.users).listSeries(
        {},
        { headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) } },
      );

    it("queries with a token of the right scope", async () => {
      expect(await ask(await edge.issuer.token())).toMatchObject({ total: 0n });
    });

    it.each([
      ["without a token", async () => undefined, Code.Unauthenticated],
      [
        "with an expired token",
        () => edge.issuer.token({ expiresMs: Date.now() - hourMs }),
        Code.Unauthenticated,
      ],
      [
        "with a token of another issuer",
        () => edge.issuer.token({ issuer: "elsewhere" }),
        Code.Unauthenticated,
      ],
      ["with a token signed by another issuer", () => edge.otherIssuer.token(), Code.Unauthenticated],
      [
        "with a token for another audience",
        () => edge.issuer.token({ audience: "elsewhere" }),
        Code.PermissionDenied,
      ],
    ])("gets no answer %s", async (_, token, code) => {
      expect((await refusalOf(ask(await token()))).code).toBe(code);
    });

    it("gets no answer with a forged payload", async () => {
      const payload = (await edge.issuer.token()).split(".")[1]!;
      expect((await refusalOf(ask(undefined, { "x-devicemesh-jwt-payload": payload }))).code).toBe(
        Code.Unauthenticated,
      );
      const weak = await edge.issuer.token({ scopes: [] });
      expect(await refusalOf(ask(weak, { "x-devicemesh-jwt-payload": payload }))).toEqual({
        code: Code.PermissionDenied,
        reason: "SCOPE_MISSING",
      });
    });

    it("needs the scope of each call", async () => {
      const generator = createClient(GeneratorService, edge.users);
      const as = async (...scopes: readonly string[]) => ({
        headers: { authorization: `Bearer ${await edge.issuer.token({ scopes })}` },
      });
      const start = async (...scopes: readonly string[]) =>
        refusalOf(generator.startGenerator({ devices: 1 }, await as(...scopes)));
      expect(await start("devicemesh.read")).toEqual({
        code: Code.PermissionDenied,
        reason: "SCOPE_MISSING",
      });
      expect((await generator.getGeneratorStatus({}, await as("devicemesh.read"))).status?.running).toBe(
        false,
      );
      expect(await start("devicemesh.generator")).toEqual({ code: undefined, reason: undefined });
      await generator.stopGenerator({}, await as("devicemesh.generator"));
    });

    it("is rejected as soon as the deny list has the token's id, without a restart", async () => {
      const token = await edge.issuer.token({ tokenId: "stolen" });
      await ask(token);
      edge.deny("token stolen\n");
      await waitUntil(async () => (await refusalOf(ask(token))).reason === "TOKEN_REVOKED");
      await ask(await edge.issuer.token({ tokenId: "other" }));
    });
  });

  it("exports need a token with the scope, by the header alone", async () => {
    const status = async (path: string, headers: readonly string[] = []) => {
      const { stdout } = await promisify(execFile)("curl", [
        ...["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", edge.authority],
        ...headers.flatMap((header) => ["-H", header]),
        `${edge.usersUrl}${path}`,
      ]);
      return Number(stdout);
    };
    const [good, weak] = [
      await edge.issuer.token(),
      await edge.issuer.token({ scopes: ["devicemesh.operate"] }),
    ];
    for (const path of ["/v1/readings", "/v1/buckets?format=parquet"]) {
      expect(await status(path)).toBe(401);
      expect(await status(`${path}${path.includes("?") ? "&" : "?"}access_token=${good}`)).toBe(401);
      expect(await status(path, [`x-devicemesh-jwt-payload: ${good.split(".")[1]}`])).toBe(401);
      expect(await status(path, [`authorization: Bearer ${weak}`])).toBe(403);
      expect(await status(path, [`authorization: Bearer ${good}`])).toBe(200);
    }
  });

  it("no client of the plain listener is authenticated", async () => {
    const plain = createGrpcTransport({ baseUrl: `http://127.0.0.1:${edge.plainPort}` });
    const headers = { "x-devicemesh-jwt-payload": (await edge.issuer.token()).split(".")[1]! };
    expect((await refusalOf(createClient(QueryService, plain).listSeries({}, { headers }))).code).toBe(
      Code.Unauthenticated,
    );
  });
});
