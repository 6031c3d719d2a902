import { type Metadata, Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import type { Metrics } from "../observability/metrics.ts";
import { createGrpcJsCounting } from "../observability/metrics-grpc-js.ts";
import { type ConnectionLimits, connectionDefaults } from "../server/connection-limits.ts";
import { createProtocolSockets } from "../server/http-protocol.ts";
import type { RunningServer } from "../server/running-server.ts";
import { startSocketServer } from "../server/socket-server.ts";
import type { TlsTermination } from "../server/tls-termination.ts";
import { createGrpcStreams } from "./grpc-streams.ts";
import type { MessageStreams } from "./message-streams.ts";
import { createUnfinishedRequests, type UnfinishedRequests } from "./requests/incomplete-requests.ts";
import type { AddressOf } from "./requests/rejected-requests.ts";

/** Limits that grpc-js does not set by default. */
export const grpcServerDefaults = {
  "grpc.max_concurrent_streams": 1024,
  "grpc.max_receive_message_length": 1024 * 1024,
  "grpc.max_send_message_length": 16 * 1024 * 1024,
  // channelz records every call and connection, and no code here reads it.
  "grpc.enable_channelz": 0,
} as const satisfies ServerOptions;

/** A call, described by its headers. */
export type GrpcCallHeaders = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The same object that the handler receives. */
  readonly metadata: Metadata;
  /** `address:port` of the client. */
  getPeer(): string;
};

/** Accepts services: a grpc-js server, or a wrapper of one. */
export type GrpcServiceTarget = Pick<Server, "addService">;

/**
 * Starts a gRPC server, in cleartext unless there is `tls` (for protocol `h2`). `options` override
 * `grpcServerDefaults`. `onClosing` is called once when `close` begins: set NOT_SERVING and end endless streams there.
 * Calls that still run after the grace period are cut: their callers get UNAVAILABLE, their handlers `cancelled`.
 * `onError` is called for each broken connection. With `metrics` every call is counted. `authorize` throws the RpcError
 * of a call that is rejected by its headers: its body is not read.
 * @throws PortInUseError, or any other error of listening.
 */
export async function startGrpcServer(config: {
  readonly host: string;
  readonly port: number;
  readonly options?: ServerOptions;
  readonly tls?: TlsTermination | undefined;
  addServices(server: GrpcServiceTarget): void;
  readonly shutdownGraceMs: number;
  readonly connections?: Partial<ConnectionLimits> | undefined;
  authorize?: ((call: GrpcCallHeaders) => void) | undefined;
  /** The methods that are served message by message; their services are added as usual. */
  readonly messageStreams?: MessageStreams | undefined;
  /** The requests of the process; separate if left out. */
  readonly unfinished?: UnfinishedRequests | undefined;
  /** The addresses of services that are served elsewhere. */
  readonly addressOf?: AddressOf | undefined;
  onClosing?(): void;
  onError?(error: unknown): void;
  readonly metrics?: Metrics | undefined;
}): Promise<RunningServer> {
  const counting = config.metrics && createGrpcJsCounting(config.metrics.rpc);
  const limits = { ...connectionDefaults, ...config.connections };
  const { authorize, addressOf, messageStreams, unfinished = createUnfinishedRequests() } = config;
  const options = { ...grpcServerDefaults, ...config.options };
  const streams = createGrpcStreams({
    unfinished,
    authorize,
    addressOf,
    idleTimeoutMs: limits.idleTimeoutMs,
    messageBytesMax: options["grpc.max_receive_message_length"],
    messageStreams,
    counting,
  });
  const server = new Server({
    // grpc-js varies it by a tenth, and lets running calls finish.
    "grpc.max_connection_age_ms": limits.ageMaxMs,
    ...options,
    interceptors: [
      ...(config.options?.interceptors ?? []),
      ...(counting ? [counting.interceptor] : []),
      streams.interceptor,
    ],
  });
  config.addServices({
    addService(definition, implementation) {
      counting?.know(definition);
      streams.know(definition);
      server.addService(definition, implementation);
    },
  });
  // This code owns the sockets, not grpc-js: its forceShutdown cuts nothing when channelz is off, it waits for silent
  // clients without a limit, and it reports a port in use only as a text, and prints it.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  streams.guard(server);
  const sockets = createProtocolSockets(limits.firstBytesTimeoutMs, (socket, protocol) => {
    if (protocol === "http1") socket.end(http1Answer).resume();
    else injector.injectConnection(socket);
  });
  return await startSocketServer({
    host: config.host,
    port: config.port,
    limits,
    isBusy: streams.isBusy,
    shutdownGraceMs: config.shutdownGraceMs,
    accept: config.tls?.terminate(sockets.accept) ?? sockets.accept,
    drain() {
      config.onClosing?.();
      sockets.drain();
      // Its callback waits for the end of its sessions, which the end of the sockets implies.
      server.tryShutdown(() => {});
    },
    onError: config.onError ?? (() => {}),
  });
}

/** For a browser, or a tool with the wrong address. */
const http1Answer = [
  "HTTP/1.1 505 HTTP Version Not Supported",
  "content-type: text/plain; charset=utf-8",
  "connection: close",
  "",
  "this address serves gRPC over HTTP/2\n",
].join("\r\n");
