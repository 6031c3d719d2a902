import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createConnectHandler } from "@devicemesh/kit/rpc/connect-handler";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { StatusSchema } from "@devicemesh/proto/es/google/rpc/status_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import {
  PublishReadingsRequest,
  type PublishReadingsResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import {
  type ChannelCredentials,
  Client,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { type IngestConfig, ingestConfig } from "../src/limits.ts";
import { ingestServiceDefinition } from "../src/publish/grpc-service.ts";
import { type Ingest, type IngestDependencies, startIngest } from "../src/start.ts";
import { createMemoryMessageLog } from "./memory-message-log.ts";

/** For tests: the time of all tests. */
export const testNowMs = Date.UTC(2026, 10, 23, 20, 4, 22);

/** The result of a call. */
export type Outcome =
  | { readonly kind: "ok"; readonly response: PublishReadingsResponse }
  | { readonly kind: "error"; readonly error: ServiceError };

/** A stream to which a test writes frames, as bytes. */
export type TestStream = { readonly call: ClientWritableStream<Buffer>; readonly outcome: Promise<Outcome> };

/** The server of IngestService: ingest's own port, or a port with its routes beside other services. */
export const ingestServers = ["grpc-js", "Connect"] as const;

/** Ingest over a memory log on a free port, with a real grpc-js client. */
export async function startTestIngest({
  server = "grpc-js",
  config = {},
  dependencies = {},
  throughProxy = false,
}: {
  /** The server that `port` and `client` belong to. */
  readonly server?: (typeof ingestServers)[number] | undefined;
  readonly config?: Partial<IngestConfig>;
  readonly dependencies?: Partial<IngestDependencies>;
  /** The client's connections pass through the test, which can break them: see `sockets`. */
  readonly throughProxy?: boolean;
} = {}) {
  const memory = createMemoryMessageLog();
  const ingest = await startIngest(ingestConfig({ port: 0, ...config }), {
    log: memory.log,
    clock: () => testNowMs,
    logger: silentLogger(),
    image: readContractImage(),
    ...dependencies,
  });
  const shared = server === "Connect" ? await startConnectServer(ingest, dependencies) : undefined;
  const port = shared?.port ?? ingest.port;
  const sockets = new Set<Socket>();
  const proxy = throughProxy ? await startProxy(port, sockets) : undefined;
  const client = createTestClient(proxy?.port ?? port);
  return {
    memory,
    ingest,
    port,
    client,
    sockets,
    async [Symbol.asyncDispose]() {
      client.close();
      proxy?.server.close();
      await ingest.close();
      await shared?.close();
    },
  };
}

function startConnectServer(
  { routes }: Ingest,
  { logger = silentLogger(), tls, addressOf, unfinished }: Partial<IngestDependencies>,
) {
  const handler = createConnectHandler({
    logger,
    routes: (router) => routes(router),
    readMaxBytes: 1024 * 1024,
    addressOf,
    unfinished,
  });
  return startOnePortServer({ host: "127.0.0.1", port: 0, handler, tls, shutdownGraceMs: 100 });
}

async function startProxy(target: number, sockets: Set<Socket>): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    const upstream = connect(target, "127.0.0.1");
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => upstream.destroy());
    upstream.on("error", () => {}).on("close", () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** A client that sends raw bytes, with these credentials and headers. */
export function createTestClient(
  port: number,
  {
    channelCredentials = credentials.createInsecure(),
    headers = {},
  }: {
    readonly channelCredentials?: ChannelCredentials;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
) {
  const metadata = (): Metadata => Metadata.fromHttp2Headers(headers);
  const client = new Client(`127.0.0.1:${port}`, channelCredentials, {
    "grpc.max_send_message_length": -1,
    "grpc.per_rpc_retry_buffer_size": 0,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
  const { publishReadings, publishReadingBatch } = ingestServiceDefinition;

  function openStream(options: { readonly deadline?: Date } = {}): TestStream {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const call = client.makeClientStreamRequest<Buffer, PublishReadingsResponse>(
      publishReadings.path,
      (frame) => frame,
      publishReadings.responseDeserialize,
      metadata(),
      options,
      (error, response) => resolve(outcomeOf(error, response)),
    );
    // A stream that is answered early breaks during the write; the result shows it.
    call.on("error", () => {});
    return { call, outcome: promise };
  }

  return {
    openStream,
    /** Sends the frames as one unit. */
    publish(...frames: readonly Buffer[]): Promise<Outcome> {
      const { call, outcome } = openStream();
      for (const frame of frames) call.write(frame);
      call.end();
      return outcome;
    },
    publishBatch(frame: Buffer, options: { readonly deadline?: Date } = {}): Promise<Outcome> {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      client.makeUnaryRequest<Buffer, PublishReadingsResponse>(
        publishReadingBatch.path,
        (bytes) => bytes,
        publishReadingBatch.responseDeserialize,
        frame,
        metadata(),
        options,
        (error, response) => resolve(outcomeOf(error, response)),
      );
      return promise;
    },
    /** Breaks the connection. */
    close: () => client.close(),
  };
}

/** A frame of these readings. */
export function frameOf(...readings: readonly Reading[]): Buffer {
  return Buffer.from(PublishReadingsRequest.encode({ readings: [...readings] }).finish());
}

/** Returns a valid reading of a thermostat, `offsetMs` after the time of all tests. */
export function thermostatReading(deviceId: string, offsetMs = 0, temperature = 21.5): Reading {
  const ms = testNowMs + offsetMs;
  return {
    deviceId,
    timestamp: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1e6 },
    measurement: { $case: "thermostat", value: { temperature } },
  };
}

/** `count` valid readings of one device, a millisecond apart. */
export function thermostatReadings(deviceId: string, count: number): Reading[] {
  return Array.from({ length: count }, (_, i) => thermostatReading(deviceId, i));
}

/** The error of a call that must have failed. */
export function errorOf(outcome: Outcome): ServiceError {
  if (outcome.kind === "ok") throw new Error("the call succeeded");
  return outcome.error;
}

/** The details of an error in protobuf's form; only the kinds that ingest sends. */
export function detailsOf(error: ServiceError) {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) return {};
  const { details } = fromBinary(StatusSchema, bytes);
  const unpacked = <T>(unpack: (any: (typeof details)[number]) => T | undefined) =>
    details.map(unpack).find((detail) => detail !== undefined);
  return {
    badRequest: unpacked((any) => anyUnpack(any, BadRequestSchema)),
    errorInfo: unpacked((any) => anyUnpack(any, ErrorInfoSchema)),
    quotaFailure: unpacked((any) => anyUnpack(any, QuotaFailureSchema)),
    retryInfo: unpacked((any) => anyUnpack(any, RetryInfoSchema)),
  };
}

function outcomeOf(error: ServiceError | null, response: PublishReadingsResponse | undefined): Outcome {
  if (error) return { kind: "error", error };
  if (!response) throw new Error("grpc-js gave neither an error nor a response");
  return { kind: "ok", response };
}
