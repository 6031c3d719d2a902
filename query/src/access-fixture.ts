import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { openUserAccess } from "@devicemesh/identity";
import { createTestAuthority, createTestIssuer, type TestIssuer } from "@devicemesh/identity/testing";
import { silentLogger } from "@devicemesh/kit/logger";
import { temporaryFolder } from "@devicemesh/kit/testing";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import type { QueryDependencies } from "./compose.ts";
import { startTestQuery, testNowMs } from "./testing.ts";

/** For tests: somebody who signs tokens, somebody else who does, and queries that ask for tokens. */
export async function createAccessFixture() {
  const folder = temporaryFolder();
  const issuer = await createTestIssuer(testNowMs);
  const stranger = await createTestIssuer(testNowMs);
  const ca = await createTestAuthority();
  const inFolder = (name: string): string => join(folder.path, name);
  const server = {
    serverCertificate: write(inFolder("server.pem"), ca.server.certificate),
    serverKey: write(inFolder("server-key.pem"), ca.server.key),
  };
  let files = 0;

  /** A query on a free port that asks for tokens, or believes Envoy's header; with TLS if told so. */
  async function start(
    kind: "tokens" | "header" = "tokens",
    {
      tls = false,
      ...dependencies
    }: Partial<Omit<QueryDependencies, "tls">> & { readonly tls?: boolean } = {},
  ) {
    const stack = new AsyncDisposableStack();
    const denyList = write(inFolder(`denied-${files++}.txt`), "");
    const jwks = write(inFolder(`jwks-${files++}.json`), issuer.publicKeys);
    let nowMs = testNowMs;
    const { interceptor, tls: termination } = stack.use(
      openUserAccess(
        {
          ...off,
          ...(tls ? server : {}),
          denyList,
          ...(kind === "tokens" ? { jwks } : { trustForwardedIdentity: true }),
        },
        { logger: silentLogger(), clock: () => nowMs, lookIntervalMs: 10 },
      ),
    );
    const test = stack.use(
      await startTestQuery({
        dependencies: { ...dependencies, access: interceptor, tls: termination, clock: () => nowMs },
      }),
    );
    return {
      ...test,
      baseUrl: tls ? test.baseUrl.replace("http:", "https:") : test.baseUrl,
      deny: (text: string) => write(denyList, text),
      signWith: (keys: TestIssuer) => write(jwks, keys.publicKeys),
      pass(ms: number) {
        nowMs += ms;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  return { start, issuer, stranger, ca: ca.certificate, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** Fixtures of a test file. */
export type AccessFixture = Awaited<ReturnType<typeof createAccessFixture>>;

/** Asks one question through a transport, with these headers. */
export async function ask(transport: Transport, headers: HeadersInit = {}) {
  return createClient(QueryService, transport).getAggregates({}, { headers });
}

/** The header of a token. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** What a call was refused with, for programs. */
export function reasonOf(error: ConnectError) {
  const [info] = error.findDetails(ErrorInfoSchema);
  return { code: error.code, reason: info?.reason, domain: info?.domain, metadata: info?.metadata };
}

const off = {
  host: "127.0.0.1",
  jwks: undefined,
  tokenIssuer: "devicemesh",
  tokenAudience: "devicemesh",
  serverCertificate: undefined,
  serverKey: undefined,
  trustForwardedIdentity: false,
  insecureBeyondLoopback: false,
};

/** In one step, so that nobody reads half of it. */
function write(path: string, text: string): string {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}
