import {
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import type { RpcCounting, RpcMethod, RpcMethodCounting } from "./metrics-rpc.ts";

/** Counts the calls of a grpc-js server. */
export type GrpcJsCounting = {
  /** For the server's options; the last of the list, so that it sees every response. */
  readonly interceptor: ServerInterceptor;
  /** Registers the methods of a service; calls of others are not counted. */
  know(definition: ServiceDefinition): void;
  /** Counts a call that does not pass through the interceptor; see RpcMethodCounting. */
  begin(path: string): ((code: number) => void) | undefined;
};

/**
 * Counts calls from their headers to the final status, whatever sends it: handler, deadline, limits. A call whose
 * client disconnected is `Canceled`. Calls of unknown methods do not get here: grpc-js itself returns UNIMPLEMENTED.
 */
export function createGrpcJsCounting(rpc: RpcCounting): GrpcJsCounting {
  const methods = new Map<string, RpcMethodCounting>();
  return {
    know(definition) {
      for (const method of Object.values(definition)) methods.set(method.path, rpc.know(methodOf(method)));
    },
    begin: (path) => methods.get(path)?.begin(),
    interceptor(descriptor, call) {
      const method = methods.get(descriptor.path);
      if (!method) return new ServerInterceptingCall(call);
      let end = (_code: number): void => {};
      const sendStatus = call.sendStatus.bind(call);
      // Not the responder's sendStatus: grpc-js answers deadlines and messages that are too large below it.
      call.sendStatus = (sent) => {
        end(sent.code);
        sendStatus(sent);
      };
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            // A call that has already ended gets no end event, so it is not counted as started either.
            onReceiveMetadata(metadata, nextMetadata) {
              end = method.begin();
              nextMetadata(metadata);
            },
            // Every call gets here at its end; only unanswered calls have not ended before.
            onCancel: () => end(status.CANCELLED),
          }),
      });
    },
  };
}

function methodOf({
  path,
  requestStream,
  responseStream,
}: Pick<ServiceDefinition[string], "path" | "requestStream" | "responseStream">): RpcMethod {
  const [, service = "", method = ""] = path.split("/");
  const streaming = requestStream ? "client_stream" : responseStream ? "server_stream" : "unary";
  return { type: requestStream && responseStream ? "bidi_stream" : streaming, service, method };
}
