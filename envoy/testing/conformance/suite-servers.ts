import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { addHealthRoutes } from "@devicemesh/kit/health/connect-health";
import { createHealth } from "@devicemesh/kit/health/health";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { startEnvoy } from "../../src/start-envoy.ts";
import { type ServerRequest, type SuiteProtos, suiteServiceName } from "./messages.ts";
import { createSuiteService } from "./service.ts";

/** The socket at which the runner's relays request servers. */
export type SuiteServers = AsyncDisposable & { readonly port: number };

/** Starts a server, connect-node behind Envoy, for each relay that connects, and ends it with the relay. */
export async function listenForRelays(protos: SuiteProtos, binary: string): Promise<SuiteServers> {
  const [requestType, responseType] = [
    protos.message("ServerCompatRequest"),
    protos.message("ServerCompatResponse"),
  ];
  const serving = new Set<Promise<void>>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const served = serve(socket).catch(() => void socket.destroy());
    serving.add(served);
    void served.finally(() => serving.delete(served));
  });

  async function serve(socket: Socket): Promise<void> {
    const gone = once(socket, "close");
    const wanted = fromBinary(requestType, await readFramed(socket)) as unknown as ServerRequest;
    await using under = await startServer(protos, binary, wanted);
    const response = { host: "127.0.0.1", port: under.port, pemCert: wanted.serverCreds?.cert };
    socket.write(framed(toBinary(responseType, create(responseType, response as never))));
    socket.resume();
    await gone;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await Promise.all(serving);
    },
  };
}

async function startServer(protos: SuiteProtos, binary: string, wanted: ServerRequest) {
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(
    await startOnePortServer({
      host: "127.0.0.1",
      port: 0,
      shutdownGraceMs: 0,
      handler: connectNodeAdapter({
        routes(router) {
          router.service(protos.service, createSuiteService(protos));
          addHealthRoutes(router, createHealth([suiteServiceName]));
        },
        jsonOptions: { registry: protos.registry },
        ...(wanted.messageReceiveLimit > 0 && { readMaxBytes: wanted.messageReceiveLimit }),
      }),
    }),
  );
  const folder = mkdtempSync(join(tmpdir(), "devicemesh-conformance-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const here = { host: "127.0.0.1", port: 0 };
  const endpoints = [{ host: "127.0.0.1", port: backend.port }];
  const envoy = stack.use(
    await startEnvoy({
      binary,
      plain: here,
      metrics: here,
      ...(wanted.serverCreds && { public: { ...here, ...writeCertificate(folder, wanted.serverCreds) } }),
      ingest: endpoints,
      query: endpoints,
      generator: endpoints,
      limits: { callsPerSecond: 1_000_000, clientCallsPerSecond: 1_000_000 },
      drainMs: 0,
      openCallsMs: 0,
      // The suite's service replaces query, with the same routes.
      edit: (config) => config.replaceAll("devicemesh.v1.QueryService", suiteServiceName),
    }),
  );
  const running = stack.move();
  return {
    port: (wanted.useTls ? envoy.public : envoy.plain)?.port,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function writeCertificate(folder: string, { cert, key }: NonNullable<ServerRequest["serverCreds"]>) {
  const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.certificate, cert);
  writeFileSync(files.key, key);
  return files;
}

/** Prefixes a message with its length. */
function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

async function readFramed(socket: Socket): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes.subarray(4);
}
