import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ServiceDefinition, ServiceError } from "@grpc/grpc-js";
import type { GrpcCallHeaders } from "./grpc-server.ts";

/** A call of a client-streaming method, for its handler. */
export type MessageStreamCall = {
  /** Answers the call; only its first answer is sent. */
  respond(error: ServiceError | null, response?: unknown): void;
};

/** Receives a call's events, in order. */
export type MessageStreamReceiver<Request> = {
  /** The next message; the one after it is passed on when the returned promise has resolved, or at once without one. */
  received(message: Request): Promise<void> | undefined;
  /** The client has ended its stream. */
  ended(): void;
  /** `received` has thrown, or its promise has rejected: no message follows. */
  failed(error: unknown): void;
  /** The call is over: it is answered, cancelled, or past its deadline, or its client has disconnected. */
  cancelled(): void;
};

/** Serves the calls of a client-streaming method. It may throw the RpcError of a call that it rejects by its headers. */
export type MessageStreamHandler<Request = unknown> = (
  call: MessageStreamCall,
  headers: GrpcCallHeaders,
) => MessageStreamReceiver<Request>;

/** The handlers by the paths of their methods. */
export type MessageStreams = ReadonlyMap<string, MessageStreamHandler>;

/** In a service's implementation, for a method that is served message by message: never called. */
export function servedByMessages(): never {
  throw new Error("the method is served message by message");
}

/** A connection of a server. */
export type GrpcConnection = {
  /** `address:port` of the client. */
  readonly peer: string;
  /** One of its streams has ended. */
  leave(): void;
};

/** A stream of a method that is served message by message. */
export type MessageStream = {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly described: GrpcCallHeaders;
  readonly method: ServiceDefinition[string];
  readonly connection: GrpcConnection;
  /** Records the end of the call; only the first code counts. */
  readonly counted: ((code: number) => void) | undefined;
};
