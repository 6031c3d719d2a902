import { type ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { openUserAccess } from "@devicemesh/identity";
import {
  accessOff,
  createAccessFiles,
  createTestAuthority,
  createTestIssuer,
  type TestIssuer,
} from "@devicemesh/identity/testing/test-credentials";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import type { QueryConfig } from "../src/limits.ts";
import type { QueryDependencies } from "../src/start.ts";
import { startTestQuery, testNowMs } from "./query-fixture.ts";

/** For tests: two issuers of tokens, and queries that require tokens. */
export async function createAccessFixture() {
  const files = createAccessFiles();
  const issuer = await createTestIssuer(testNowMs);
  const stranger = await createTestIssuer(testNowMs);
  const ca = await createTestAuthority();
  const server = {
    serverCertificate: files.write("server.pem", ca.server.certificate),
    serverKey: files.write("server-key.pem", ca.server.key),
  };
  let starts = 0;

  /** A query on a free port that requires tokens, or trusts Envoy's header; optionally with TLS. */
  async function start(
    kind: "tokens" | "header" = "tokens",
    {
      tls = false,
      ...dependencies
    }: Partial<Omit<QueryDependencies, "tls">> & { readonly tls?: boolean } = {},
    config: Partial<QueryConfig> = {},
  ) {
    const stack = new AsyncDisposableStack();
    starts += 1;
    const [denied, keys] = [`denied-${starts}.txt`, `jwks-${starts}.json`];
    const denyList = files.write(denied, "");
    const jwks = files.write(keys, issuer.publicKeys);
    let nowMs = testNowMs;
    const { gate, tls: termination } = stack.use(
      openUserAccess(
        {
          ...accessOff,
          ...off,
          ...(tls ? server : {}),
          denyList,
          ...(kind === "tokens" ? { jwks } : { trustForwardedIdentity: true }),
        },
        { logger: silentLogger(), clock: () => nowMs, pollIntervalMs: 10 },
      ),
    );
    const test = stack.use(
      await startTestQuery({
        config,
        dependencies: { ...dependencies, access: gate, tls: termination, clock: () => nowMs },
      }),
    );
    return {
      ...test,
      baseUrl: tls ? test.baseUrl.replace("http:", "https:") : test.baseUrl,
      deny: (text: string) => files.write(denied, text),
      signWith: (other: TestIssuer) => files.write(keys, other.publicKeys),
      pass(ms: number) {
        nowMs += ms;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  return { start, issuer, stranger, ca: ca.certificate, [Symbol.dispose]: () => files[Symbol.dispose]() };
}

/** Fixtures of a test file. */
export type AccessFixture = Awaited<ReturnType<typeof createAccessFixture>>;

/** Sends one query through a transport, with these headers. */
export async function ask(transport: Transport, headers: HeadersInit = {}) {
  return createClient(QueryService, transport).getAggregates({}, { headers });
}

/** The header of a token. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** The reason of a rejected call, for programs. */
export function reasonOf(error: ConnectError) {
  const [info] = error.findDetails(ErrorInfoSchema);
  return { code: error.code, reason: info?.reason, domain: info?.domain, metadata: info?.metadata };
}

const off = { jwks: undefined, tokenIssuer: "devicemesh", tokenAudience: "devicemesh" };
