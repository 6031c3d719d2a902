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
  /** The first of the list, so that it is the outermost and sees the errors that callers receive. */
  readonly interceptor: Interceptor;
  /** Counts a call that the gate rejected, which never reaches the interceptor. */
  rejected(call: Pick<HandlerContext, "service" | "method">, error: ConnectError): void;
  /** Makes the methods of a router known; call it when all routes are there. */
  know(router: ConnectRouter): void;
};

const rpcTypes = {
  unary: "unary",
  client_streaming: "client_stream",
  server_streaming: "server_stream",
  bidi_streaming: "bidi_stream",
} as const satisfies Record<string, RpcMethod["type"]>;

/** Counts calls of all three protocols. A stream ends when its last message is taken, or its client is gone. */
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
        // A stream that its client left may wait for long before it takes notice.
        if (signal.aborted) endFailed(undefined);
        else signal.addEventListener("abort", endFailed, { once: true });
        return { ...response, message: counted(response.message, end) };
      } catch (error) {
        // Where no caller waits for the answer any more, the reason for that is why it failed.
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
    // Whoever read has stopped before the last message.
    end(Code.Canceled);
  }
}

function codeOf(error: unknown): Code {
  if (error === undefined) return Code.Canceled;
  const { code } = ConnectError.from(error, Code.Internal);
  // So Node's adapter says that an HTTP/1.1 client has gone; on HTTP/2 it says Canceled.
  return code === Code.Aborted ? Code.Canceled : code;
}
