import { Code, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AccessFixture,
  ask,
  bearer,
  createAccessFixture,
  reasonOf,
} from "../../testing/access-fixture.ts";
import { failureOf, temperature, testNowMs, transportsOf } from "../../testing/query-fixture.ts";

const hourMs = 3_600_000;

let fixture: AccessFixture;
beforeAll(async () => {
  fixture = await createAccessFixture();
});
afterAll(() => fixture[Symbol.dispose]());

const grpc = (baseUrl: string): Transport => createGrpcTransport({ baseUrl });

/** The start of a JWT with this header, unsigned. */
function unsigned(token: string, header: object): string {
  const encoded = Buffer.from(JSON.stringify(header)).toString("base64url");
  return `${encoded}.${token.split(".")[1]}.`;
}

describe("query with tokens", () => {
  for (const [place, [name]] of transportsOf("http://127.0.0.1:0").entries()) {
    it(`answers a token with the scope, and no call without one: ${name}`, async () => {
      await using running = await fixture.start();
      running.memory.append([temperature("a", -20_000, 20)]);
      const [, transport] = transportsOf(running.baseUrl)[place]!;
      const answer = await ask(transport, bearer(await fixture.issuer.token()));
      expect(answer.rows).toMatchObject([{ deviceId: "a", count: 1n }]);
      const refusal = await failureOf(ask(transport));
      expect(reasonOf(refusal)).toMatchObject({
        code: Code.Unauthenticated,
        reason: "TOKEN_MISSING",
        domain: "devicemesh",
      });
      expect(refusal.message).toContain("authorization: Bearer");
    });
  }

  const refusals: readonly [string, () => Promise<HeadersInit>, string][] = [
    [
      "that is expired",
      async () => bearer(await fixture.issuer.token({ expiresMs: testNowMs - hourMs })),
      "TOKEN_EXPIRED",
    ],
    [
      "that is not valid yet",
      async () => bearer(await fixture.issuer.token({ issuedMs: testNowMs + hourMs })),
      "TOKEN_NOT_YET_VALID",
    ],
    [
      "of another issuer",
      async () => bearer(await fixture.issuer.token({ issuer: "elsewhere" })),
      "TOKEN_ISSUER",
    ],
    [
      "for another audience",
      async () => bearer(await fixture.issuer.token({ audience: "elsewhere" })),
      "TOKEN_AUDIENCE",
    ],
    ["signed by another issuer", async () => bearer(await fixture.stranger.token()), "TOKEN_SIGNATURE"],
    [
      "whose payload is another's",
      async () => {
        const [head, , signature] = (await fixture.issuer.token()).split(".");
        const [, payload] = (
          await fixture.issuer.token({ scopes: ["devicemesh.read", "devicemesh.operate"] })
        ).split(".");
        return bearer(`${head}.${payload}.${signature}`);
      },
      "TOKEN_SIGNATURE",
    ],
    [
      "that is not signed",
      async () => bearer(unsigned(await fixture.issuer.token(), { alg: "none" })),
      "TOKEN_SIGNATURE",
    ],
    ["without an id", async () => bearer(await fixture.issuer.token({ tokenId: "" })), "TOKEN_MALFORMED"],
    ["that is not a token", async () => bearer("abc"), "TOKEN_MALFORMED"],
    [
      "in another scheme",
      async () => ({ authorization: `Basic ${await fixture.issuer.token()}` }),
      "TOKEN_MALFORMED",
    ],
    [
      "in Envoy's header",
      async () => ({
        "x-devicemesh-jwt-payload": (await fixture.issuer.token()).split(".")[1]!,
      }),
      "TOKEN_MISSING",
    ],
  ];
  it.each(refusals)("answers UNAUTHENTICATED to a token %s", async (_, headers, reason) => {
    await using running = await fixture.start();
    const refusal = await failureOf(ask(grpc(running.baseUrl), await headers()));
    expect(reasonOf(refusal)).toMatchObject({ code: Code.Unauthenticated, reason });
  });

  it("answers PERMISSION_DENIED to a token without the scope, and names the scope", async () => {
    await using running = await fixture.start();
    const token = await fixture.issuer.token({ scopes: ["devicemesh.operate", "devicemesh.reader"] });
    const refusal = await failureOf(ask(grpc(running.baseUrl), bearer(token)));
    expect(reasonOf(refusal)).toMatchObject({
      code: Code.PermissionDenied,
      reason: "SCOPE_MISSING",
      metadata: { scope: "devicemesh.read", rpc: "devicemesh.v1.QueryService/GetAggregates" },
    });
    expect(refusal.message).toContain("needs a token with the scope devicemesh.read");
  });

  it("requires the scopes of other services on its port", async () => {
    const started: string[] = [];
    await using running = await fixture.start("tokens", {
      extraRoutes: (router) => {
        router.service(GeneratorService, {
          startGenerator() {
            started.push("started");
            return {};
          },
          stopGenerator: () => ({}),
          getGeneratorStatus: () => ({}),
        });
      },
    });
    const client = createClient(GeneratorService, grpc(running.baseUrl));
    const reader = { headers: bearer(await fixture.issuer.token()) };
    const control = { headers: bearer(await fixture.issuer.token({ scopes: ["devicemesh.generator"] })) };
    await client.getGeneratorStatus({}, reader);
    const refusal = await failureOf(client.startGenerator({ devices: 1 }, reader));
    expect(reasonOf(refusal)).toMatchObject({
      code: Code.PermissionDenied,
      metadata: { scope: "devicemesh.generator" },
    });
    expect(started).toEqual([]);
    await client.startGenerator({ devices: 1 }, control);
    expect(started).toEqual(["started"]);
    expect((await failureOf(client.getGeneratorStatus({}, control))).code).toBe(Code.PermissionDenied);
  });

  it("leaves health and reflection open", async () => {
    await using running = await fixture.start();
    const { status } = await createClient(Health, grpc(running.baseUrl)).check({});
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
    const requests = (async function* () {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
    })();
    for await (const answer of createClient(ServerReflection, grpc(running.baseUrl)).serverReflectionInfo(
      requests,
    )) {
      expect(answer.messageResponse.case).toBe("listServicesResponse");
    }
  });

  it("answers browsers and curl with 401 and 403", async () => {
    await using running = await fixture.start();
    const post = (headers: Record<string, string>) =>
      fetch(`${running.baseUrl}/devicemesh.v1.QueryService/GetAggregates`, {
        method: "POST",
        body: "{}",
        headers: { "content-type": "application/json", ...headers },
      });
    const statuses = await Promise.all([
      post({}),
      post(bearer(await fixture.issuer.token({ scopes: [] }))),
      post(bearer(await fixture.issuer.token())),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([401, 403, 200]);
    expect(await statuses[0]?.json()).toMatchObject({ code: "unauthenticated" });
  });
});
