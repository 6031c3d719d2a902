// The server under test, as the conformance runner starts it: connect-node behind Envoy. It reads on standard
// input what is wanted, and writes on standard output where it is.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { addHealthRoutes } from "@devicemesh/kit/connect-health";
import { createHealth } from "@devicemesh/kit/health";
import { untilShutdownSignal } from "@devicemesh/kit/lifetime";
import { startOnePortServer } from "@devicemesh/kit/one-port-server";
import { startEnvoy } from "../start-envoy.ts";
import { type ServerRequest, suiteProtos, suiteServiceName } from "./messages.ts";
import { createSuiteService } from "./service.ts";

const [imageFile = "", binary = ""] = process.argv.slice(2);
const protos = suiteProtos(readFileSync(imageFile));
const input = await readFramed();
const wanted = fromBinary(protos.message("ServerCompatRequest"), input) as unknown as ServerRequest;

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
const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
if (wanted.serverCreds) {
  writeFileSync(certificate, wanted.serverCreds.cert);
  writeFileSync(key, wanted.serverCreds.key);
}
const here = { host: "127.0.0.1", port: 0 };
const endpoints = [{ host: "127.0.0.1", port: backend.port }];
const envoy = stack.use(
  await startEnvoy({
    binary,
    plain: here,
    metrics: here,
    ...(wanted.useTls && { public: { ...here, certificate, key } }),
    ingest: endpoints,
    query: endpoints,
    generator: endpoints,
    limits: { callsPerSecond: 1_000_000, clientCallsPerSecond: 1_000_000 },
    drainMs: 0,
    openCallsMs: 0,
    // The suite's service takes the place of query's, with its routes as they are.
    edit: (config) => config.replaceAll("devicemesh.v1.QueryService", suiteServiceName),
  }),
);
const response = toBinary(
  protos.message("ServerCompatResponse"),
  create(protos.message("ServerCompatResponse"), {
    host: "127.0.0.1",
    port: (wanted.useTls ? envoy.public : envoy.plain)?.port,
    ...(wanted.useTls && { pemCert: wanted.serverCreds?.cert }),
  } as never),
);
const length = Buffer.alloc(4);
length.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([length, response]));
await untilShutdownSignal();

/** One message with its length before it. */
async function readFramed(): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) break;
  }
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}
