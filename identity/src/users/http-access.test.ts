import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createHttpRoutes } from "@devicemesh/kit/server/http-routes";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { accessOff, createAccessFiles, createTestIssuer } from "../../testing/test-credentials.ts";
import { openUserAccess } from "../open-access.ts";
import { openHttpGate } from "./http-access.ts";

const files = createAccessFiles();
afterAll(() => files[Symbol.dispose]());
const nowMs = Date.UTC(2026, 10, 23);
const issuer = await createTestIssuer(nowMs);

/**
 * A server with one guarded route, which returns the caller, or waits for `proceed` and then checks the token again.
 */
async function serve() {
  let ms = nowMs;
  let handled = 0;
  const access = openUserAccess(
    {
      ...accessOff,
      jwks: files.write("jwks.json", issuer.publicKeys),
      tokenIssuer: "devicemesh",
      tokenAudience: "devicemesh",
      denyList: undefined,
    },
    { logger: silentLogger(), clock: () => ms },
  );
  onTestFinished(() => access[Symbol.dispose]());
  const gate = access.gate?.http ?? openHttpGate;
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 0,
    handler: createHttpRoutes([
      gate.guard("devicemesh.read", {
        method: "GET",
        path: "/v1/it",
        handle(request, response, url) {
          handled++;
          ms += Number(url.searchParams.get("lasts") ?? 0);
          gate.assertStillValid(request);
          response.end(gate.userOf(request)?.subject ?? "");
        },
      }),
    ]),
  });
  onTestFinished(() => server.close());
  return {
    handled: () => handled,
    async get(authorization?: string, path = "/v1/it") {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        ...(authorization !== undefined && { headers: { authorization } }),
      });
      return {
        status: response.status,
        challenge: response.headers.get("www-authenticate"),
        text: await response.text(),
      };
    },
  };
}

it("serves a guarded route to a token with its scope, and identifies the user", async () => {
  const { get } = await serve();
  expect(await get(`Bearer ${await issuer.token({ subject: "ada" })}`)).toMatchObject({
    status: 200,
    text: "ada",
  });
});

it("answers 401 without a token or with a malformed one, and does not call the route", async () => {
  const server = await serve();
  for (const [authorization, reason] of [
    [undefined, "there is no token"],
    ["Basic YTpi", "authorization: Bearer"],
  ] as const) {
    const { status, challenge, text } = await server.get(authorization);
    expect({ status, challenge }).toEqual({ status: 401, challenge: "Bearer" });
    expect(JSON.parse(text)).toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining(reason),
    });
  }
  expect(server.handled()).toBe(0);
});

it("reads no token from the URL", async () => {
  const { get } = await serve();
  expect((await get(undefined, `/v1/it?access_token=${await issuer.token()}`)).status).toBe(401);
});

it("answers 403 to a token without the scope and names it", async () => {
  const server = await serve();
  const { status, text } = await server.get(
    `Bearer ${await issuer.token({ scopes: ["devicemesh.operate"] })}`,
  );
  expect(status).toBe(403);
  expect(JSON.parse(text)).toMatchObject({
    code: "permission_denied",
    message: "GET /v1/it needs a token with the scope devicemesh.read",
    details: [{ type: "google.rpc.ErrorInfo" }],
  });
  expect(server.handled()).toBe(0);
});

it("ends a response that outlives its token", async () => {
  const { get } = await serve();
  const token = await issuer.token({ expiresMs: nowMs + 60_000 });
  expect((await get(`Bearer ${token}`, "/v1/it?lasts=30000")).status).toBe(200);
  expect((await get(`Bearer ${token}`, "/v1/it?lasts=60000")).status).toBe(401);
});
