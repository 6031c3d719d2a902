import {
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import type { RpcCounting, RpcMethod, RpcMethodCounting } from "./metrics-rpc.ts";

/** Counts the calls of a grpc-js server. */
export type GrpcJsCounting = {
  /** For the server's options; the last of the list, so that it sees what goes out. */
  readonly interceptor: ServerInterceptor;
  /** Makes the methods of a service known; calls of others are not counted. */
  know(definition: ServiceDefinition): void;
};

/**
 * Counts calls from their headers to the status that goes out, whoever sends it: handler, deadline, limits. A call
 * whose client went away is `Canceled`. Methods that the server does not have never come here: grpc-js itself says
 * UNIMPLEMENTED.
 */
export function createGrpcJsCounting(rpc: RpcCounting): GrpcJsCounting {
  const methods = new Map<string, RpcMethodCounting>();
  return {
    know(definition) {
      for (const method of Object.values(definition)) methods.set(method.path, rpc.know(methodOf(method)));
    },
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
            // A call that was gone before this is never told of its end, so it does not begin either.
            onReceiveMetadata(metadata, nextMetadata) {
              end = method.begin();
              nextMetadata(metadata);
            },
            // Every call comes here at last; only those that were not answered have not ended before.
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
