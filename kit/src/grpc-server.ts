import type { Socket } from "node:net";
import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import type { Metrics } from "./metrics.ts";
import { createGrpcJsCounting } from "./metrics-grpc-js.ts";
import type { RunningServer } from "./running-server.ts";
import { startSocketServer } from "./socket-server.ts";
import type { TlsTermination } from "./tls-termination.ts";

/** Limits that grpc-js leaves open by default. */
export const grpcServerDefaults = {
  "grpc.max_concurrent_streams": 1024,
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.max_send_message_length": 16 * 1024 * 1024,
  // A record of every call and connection, which nobody here reads.
  "grpc.enable_channelz": 0,
} as const satisfies ServerOptions;

/** The most connections of one gRPC server at a time, unless it says otherwise. */
export const grpcConnectionsMax = 4096;

/** Takes services: a grpc-js server, or what stands before one. */
export type GrpcServiceTarget = Pick<Server, "addService">;

/**
 * Starts a gRPC server, in cleartext unless there is `tls` (for protocol `h2`). `options` go over
 * `grpcServerDefaults`. `onClosing` is called once when `close` begins: the place to say NOT_SERVING and to
 * end endless streams. Calls that still run after the grace are cut: their callers get UNAVAILABLE, their
 * handlers `cancelled`. `onError` is told of each connection that broke.
 * With `metrics` every call is counted.
 * @throws PortInUseError, or what else kept it from listening.
 */
export async function startGrpcServer(config: {
  readonly host: string;
  readonly port: number;
  readonly options?: ServerOptions;
  readonly tls?: TlsTermination | undefined;
  addServices(server: GrpcServiceTarget): void;
  readonly shutdownGraceMs: number;
  readonly connectionsMax?: number;
  onClosing?(): void;
  onError?(error: unknown): void;
  readonly metrics?: Metrics | undefined;
}): Promise<RunningServer> {
  const counting = config.metrics && createGrpcJsCounting(config.metrics.rpc);
  const server = new Server({
    ...grpcServerDefaults,
    ...config.options,
    ...(counting && { interceptors: [...(config.options?.interceptors ?? []), counting.interceptor] }),
  });
  config.addServices({
    addService(definition, implementation) {
      counting?.know(definition);
      server.addService(definition, implementation);
    },
  });
  // The sockets are ours and not grpc-js' own: its forceShutdown cuts nothing when channelz is off, it waits
  // for silent clients without a limit, and it tells a port in use by a text only, and prints it.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const inject = (socket: Socket): void => injector.injectConnection(socket);
  return await startSocketServer({
    host: config.host,
    port: config.port,
    connectionsMax: config.connectionsMax ?? grpcConnectionsMax,
    shutdownGraceMs: config.shutdownGraceMs,
    accept: config.tls?.terminate(inject) ?? inject,
    drain() {
      config.onClosing?.();
      // What it would call back for, the end of its sessions, is awaited as the end of the sockets.
      server.tryShutdown(() => {});
    },
    onError: config.onError ?? (() => {}),
  });
}
