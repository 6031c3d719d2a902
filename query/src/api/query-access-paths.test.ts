import { Code } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AccessFixture,
  ask,
  bearer,
  createAccessFixture,
  reasonOf,
} from "../../testing/access-fixture.ts";
import { failureOf, temperature, testNowMs } from "../../testing/query-fixture.ts";

const hourMs = 3_600_000;
const grpc = (baseUrl: string) => createGrpcTransport({ baseUrl });

let fixture: AccessFixture;
beforeAll(async () => {
  fixture = await createAccessFixture();
});
afterAll(() => fixture[Symbol.dispose]());

describe("query behind Envoy", () => {
  const payloadOf = (token: string) => ({ "x-devicemesh-jwt-payload": token.split(".")[1]! });

  it("accepts the payload that Envoy forwards instead of the token", async () => {
    await using running = await fixture.start("header");
    const transport = grpc(running.baseUrl);
    await ask(transport, payloadOf(await fixture.issuer.token()));
    const noScope = await failureOf(ask(transport, payloadOf(await fixture.issuer.token({ scopes: [] }))));
    expect(noScope.code).toBe(Code.PermissionDenied);
  });

  it.each([
    ["no header", {}, "TOKEN_MISSING"],
    ["a token that Envoy did not verify", { authorization: "Bearer abc" }, "TOKEN_MISSING"],
    ["what is not base64url of JSON", { "x-devicemesh-jwt-payload": "%%%" }, "TOKEN_MALFORMED"],
    [
      "JSON that is not an object",
      { "x-devicemesh-jwt-payload": Buffer.from("7").toString("base64url") },
      "TOKEN_MALFORMED",
    ],
  ])("answers UNAUTHENTICATED to %s", async (_, headers, reason) => {
    await using running = await fixture.start("header");
    expect(reasonOf(await failureOf(ask(grpc(running.baseUrl), headers)))).toMatchObject({
      code: Code.Unauthenticated,
      reason,
    });
  });

  it("rejects revoked and expired tokens", async () => {
    await using running = await fixture.start("header");
    const transport = grpc(running.baseUrl);
    const headers = payloadOf(await fixture.issuer.token({ tokenId: "stolen" }));
    running.deny("token stolen");
    await waitUntil(() =>
      ask(transport, headers).then(
        () => false,
        () => true,
      ),
    );
    expect(reasonOf(await failureOf(ask(transport, headers))).reason).toBe("TOKEN_REVOKED");
    const old = payloadOf(await fixture.issuer.token({ expiresMs: testNowMs - hourMs }));
    expect(reasonOf(await failureOf(ask(transport, old))).reason).toBe("TOKEN_EXPIRED");
  });
});

describe("query over TLS", () => {
  const nodeOptions = () => ({ ca: fixture.ca });
  it.each([
    ["gRPC, HTTP/2", (baseUrl: string) => createGrpcTransport({ baseUrl, nodeOptions: nodeOptions() })],
    [
      "Connect, HTTP/2",
      (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions: nodeOptions() }),
    ],
    [
      "Connect, HTTP/1.1",
      (baseUrl: string) =>
        createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions: nodeOptions() }),
    ],
    [
      "gRPC-Web, HTTP/1.1",
      (baseUrl: string) =>
        createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions: nodeOptions() }),
    ],
  ] as const)("answers %s", async (_, transportOf) => {
    await using running = await fixture.start("tokens", { tls: true });
    running.memory.append([temperature("a", -20_000, 20)]);
    const answer = await ask(transportOf(running.baseUrl), bearer(await fixture.issuer.token()));
    expect(answer.rows).toMatchObject([{ deviceId: "a", count: 1n }]);
  });

  it("answers neither in cleartext nor a client that does not trust its CA", async () => {
    await using running = await fixture.start("tokens", { tls: true });
    const headers = bearer(await fixture.issuer.token());
    const clear = createConnectTransport({
      baseUrl: running.baseUrl.replace("https", "http"),
      httpVersion: "1.1",
    });
    expect((await failureOf(ask(clear, headers))).code).not.toBe(Code.Unauthenticated);
    const stranger = createGrpcTransport({ baseUrl: running.baseUrl });
    expect((await failureOf(ask(stranger, headers))).code).not.toBe(Code.Unauthenticated);
  });
});
