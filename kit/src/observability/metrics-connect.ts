import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { RpcCounting, RpcMethod, RpcMethodCounting } from "./metrics-rpc.ts";

/** Counts the calls of a Connect router. */
export type ConnectCounting = {
  /** The first interceptor of the list, so that it is the outermost and sees the callers' errors. */
  readonly interceptor: Interceptor;
  /** Counts a call that the gate rejected, which never reaches the interceptor. */
  rejected(call: Pick<HandlerContext, "service" | "method">, error: ConnectError): void;
  /** Registers the methods of a router; call it when all routes are added. */
  know(router: ConnectRouter): void;
};

const rpcTypes = {
  unary: "unary",
  client_streaming: "client_stream",
  server_streaming: "server_stream",
  bidi_streaming: "bidi_stream",
} as const satisfies Record<string, RpcMethod["type"]>;

/** Counts calls of all three protocols. A stream ends when its last message is read, or its client has disconnected. */
export function createConnectCounting(rpc: RpcCounting): ConnectCounting {
  const knownOf = (
    service: string,
    method: { readonly name: string; readonly methodKind: keyof typeof rpcTypes },
  ) => rpc.know({ type: rpcTypes[method.methodKind], service, method: method.name });
  return {
    know(router) {
      for (const { service, method } of router.handlers) knownOf(service.typeName, method);
    },
    rejected({ service, method }, error) {
      knownOf(service.typeName, method).begin()(error.code);
    },
    interceptor: (next) => async (request) => {
      const { signal } = request;
      const end = knownOf(request.service.typeName, request.method).begin();
      const endFailed = (error: unknown): void => end(codeOf(signal.aborted ? signal.reason : error));
      try {
        const response = await next(request);
        if (!response.stream) {
          end(0);
          return response;
        }
        // The handler of an abandoned stream may take long to notice.
        if (signal.aborted) endFailed(undefined);
        else signal.addEventListener("abort", endFailed, { once: true });
        return { ...response, message: counted(response.message, end) };
      } catch (error) {
        // If the caller has disconnected or timed out, that is the cause of the failure.
        endFailed(error);
        throw error;
      }
    },
  };
}

async function* counted<T>(
  messages: AsyncIterable<T>,
  end: ReturnType<RpcMethodCounting["begin"]>,
): AsyncIterable<T> {
  try {
    yield* messages;
    end(0);
  } catch (error) {
    end(codeOf(error));
    throw error;
  } finally {
    // The reader has stopped before the last message.
    end(Code.Canceled);
  }
}

function codeOf(error: unknown): Code {
  if (error === undefined) return Code.Canceled;
  const { code } = ConnectError.from(error, Code.Internal);
  // Node's adapter uses this code when an HTTP/1.1 client disconnects; on HTTP/2 it uses Canceled.
  return code === Code.Aborted ? Code.Canceled : code;
}
