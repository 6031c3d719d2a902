import { openDeviceAccess } from "@devicemesh/identity";
import {
  accessOff,
  createAccessFiles,
  createTestAuthority,
  type TestAuthority,
} from "@devicemesh/identity/testing/test-credentials";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import {
  createTestClient,
  detailsOf,
  errorOf,
  frameOf,
  type ingestServers,
  type Outcome,
  startTestIngest,
  thermostatReading,
} from "./ingest-fixture.ts";

/** For tests: a CA, an untrusted CA, and ingests that authenticate senders. */
export async function createIdentityFixture() {
  const files = createAccessFiles();
  const ca = await createTestAuthority();
  const stranger = await createTestAuthority();
  const certificates = {
    deviceCa: files.write("ca.pem", ca.certificate),
    serverCertificate: files.write("server.pem", ca.server.certificate),
    serverKey: files.write("server-key.pem", ca.server.key),
  };
  let lists = 0;

  /** An ingest on a free port, and clients of it. */
  async function start(
    kind: "certificates" | "header",
    {
      server,
      clock = Date.now,
      unfinished,
      ...times
    }: {
      readonly server?: (typeof ingestServers)[number];
      readonly clock?: () => number;
      readonly unfinished?: UnfinishedRequests;
      readonly unverifiedMs?: number;
    } = {},
  ) {
    const stack = new AsyncDisposableStack();
    const denied = `denied-${lists++}.txt`;
    const denyList = files.write(denied, "# nothing yet\n");
    const config = {
      ...accessOff,
      ...off,
      ...(kind === "header" ? { trustForwardedIdentity: true } : certificates),
      denyList,
    };
    const access = stack.use(
      openDeviceAccess(config, { logger: silentLogger(), clock, pollIntervalMs: 10, ...times }),
    );
    const test = stack.use(await startTestIngest({ server, dependencies: { ...access, unfinished } }));
    return {
      ...test,
      deny: (text: string) => files.write(denied, text),
      connect(channelCredentials: ChannelCredentials, headers: Readonly<Record<string, string>> = {}) {
        const client = createTestClient(test.port, { channelCredentials, headers });
        stack.defer(() => client.close());
        return client;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  /** The credentials of a client whose certificate has this name. */
  async function certified(
    uri: string,
    {
      authority = ca,
      ...times
    }: {
      readonly authority?: TestAuthority;
      readonly notBeforeMs?: number;
      readonly notAfterMs?: number;
    } = {},
  ) {
    const pair = await authority.client(uri, times);
    return { ...pair, credentials: tls(pair) };
  }

  function tls(pair?: { readonly key: string; readonly certificate: string }): ChannelCredentials {
    const root = Buffer.from(ca.certificate);
    return pair === undefined
      ? credentials.createSsl(root)
      : credentials.createSsl(root, Buffer.from(pair.key), Buffer.from(pair.certificate));
  }

  return { start, certified, tls, stranger, certificates, [Symbol.dispose]: () => files[Symbol.dispose]() };
}

/** Fixtures of a test file. */
export type IdentityFixture = Awaited<ReturnType<typeof createIdentityFixture>>;

/** A frame with a reading of each device, in order. */
export function readingsOf(...deviceIds: readonly string[]): Buffer {
  return frameOf(...deviceIds.map((id, i) => thermostatReading(id, i)));
}

/** The error of a rejected call. */
export function refusalOf(outcome: Outcome) {
  const error = errorOf(outcome);
  const { reason, domain, metadata } = detailsOf(error).errorInfo ?? {};
  return { code: error.code, text: error.details, reason, domain, metadata };
}

const off = { deviceCa: undefined, trustDomain: "devicemesh" };
