import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { startEnvoy } from "@devicemesh/envoy";
import { createGenerator, generatorRoutes } from "@devicemesh/generator";
import { openDeviceAccess, openUserAccess } from "@devicemesh/identity";
import {
  createTestAuthority,
  createTestIssuer,
  type TestAuthority,
} from "@devicemesh/identity/testing/test-credentials";
import { ingestConfig, startIngest } from "@devicemesh/ingest";
import { createMemoryMessageLog } from "@devicemesh/ingest/testing/memory-message-log";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { readContractImage } from "@devicemesh/proto/image";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { queryConfig, startQuery } from "@devicemesh/query";
import { createMemoryReadingStore } from "@devicemesh/query/testing/memory-store/memory-reading-store";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";

/**
 * For tests: Envoy with a listener for users and one for devices, and behind it ingest, query and generator that trust
 * Envoy's headers, with a separate deny list.
 */
export async function startEdgeWithIdentity(binary: string) {
  await using starting = new AsyncDisposableStack();
  const folder = temporaryFolder();
  starting.defer(() => folder[Symbol.dispose]());
  const write = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const [ca, stranger] = [await createTestAuthority(), await createTestAuthority()];
  const [issuer, otherIssuer] = [await createTestIssuer(), await createTestIssuer()];
  const server = {
    host: "127.0.0.1",
    port: 0,
    certificate: write("server.pem", ca.server.certificate),
    key: write("server-key.pem", ca.server.key),
  };
  const authority = write("ca.pem", ca.certificate);
  const jwksFile = write("jwks.json", issuer.publicKeys);
  const denyList = write("denied.txt", "");

  const common = { clock: Date.now, logger: silentLogger(), image: readContractImage() };
  const behindEnvoy = {
    host: "127.0.0.1",
    serverCertificate: undefined,
    serverKey: undefined,
    trustForwardedIdentity: true,
    insecureBeyondLoopback: false,
    denyList,
  };
  const polling = { ...common, pollIntervalMs: 10 };
  const devices = starting.use(
    openDeviceAccess({ ...behindEnvoy, deviceCa: undefined, trustDomain: "devicemesh" }, polling),
  );
  const users = starting.use(
    openUserAccess(
      { ...behindEnvoy, jwks: undefined, tokenIssuer: "devicemesh", tokenAudience: "devicemesh" },
      polling,
    ),
  );
  const memory = createMemoryMessageLog();
  const ingest = starting.use(
    await startIngest(ingestConfig({ port: 0, shutdownGraceMs: 100 }), {
      ...common,
      log: memory.log,
      identityOf: devices.identityOf,
    }),
  );
  const generator = createGenerator({ target: `127.0.0.1:${ingest.port}`, logger: common.logger });
  starting.defer(() => generator.close({ limitMs: 100 }));
  const query = starting.use(
    await startQuery(queryConfig({ port: 0, shutdownGraceMs: 100 }), {
      ...common,
      store: createMemoryReadingStore({ clock: Date.now }).store,
      extraRoutes: generatorRoutes(generator),
      access: users.gate,
    }),
  );
  const local = (port: number) => ({ host: "127.0.0.1", port });
  const envoy = starting.use(
    await startEnvoy({
      binary,
      drainMs: 0,
      plain: local(0),
      metrics: local(0),
      ingest: [local(ingest.port)],
      query: [local(query.port)],
      generator: [local(query.port)],
      public: server,
      users: { jwksFile, issuer: "devicemesh", audience: "devicemesh" },
      devices: { ...server, authority, trustDomain: "devicemesh" },
    }),
  );

  const root = Buffer.from(ca.certificate);
  const running = starting.move();
  return {
    ca,
    stranger,
    issuer,
    otherIssuer,
    memory,
    plainPort: envoy.plain.port,
    deny: (text: string) => write("denied.txt", text),
    /** A client of the listener for devices; closed at the end. */
    deviceClient(channelCredentials: ChannelCredentials): IngestServiceClient {
      const client = new IngestServiceClient(`127.0.0.1:${envoy.devices?.port}`, channelCredentials);
      running.defer(() => client.close());
      return client;
    },
    /** The credentials of a certificate with this name. */
    async certified(
      uri: string,
      {
        authority: signer = ca,
        ...times
      }: { readonly authority?: TestAuthority; readonly notAfterMs?: number } = {},
    ) {
      const { key, certificate } = await signer.client(uri, times);
      return credentials.createSsl(root, Buffer.from(key), Buffer.from(certificate));
    },
    /** The same, with the serial number of the certificate. */
    async certifiedBySerial(uri: string) {
      const { key, certificate } = await ca.client(uri);
      const { serialNumber: serial } = new X509Certificate(certificate);
      return { serial, shown: credentials.createSsl(root, Buffer.from(key), Buffer.from(certificate)) };
    },
    anonymous: credentials.createSsl(root),
    /** The address of the listener for users, and the authority that its clients trust. */
    usersUrl: `https://127.0.0.1:${envoy.public?.port}`,
    authority,
    /** A transport to the listener for users. */
    users: createGrpcTransport({
      baseUrl: `https://127.0.0.1:${envoy.public?.port}`,
      nodeOptions: { ca: ca.certificate },
    }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
