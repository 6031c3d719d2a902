import { type DescMethod, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { transport } from "../../mesh/clients.ts";

/** The result of a call so far. */
export type Answer = {
  /** The newest message as JSON of the contract. */
  readonly json: string;
  readonly messages: number;
  readonly tookMs: number;
};

/**
 * Calls an RPC with a request in JSON and passes on each response message.
 * @throws ConnectError of the server; Error if the JSON does not match the request.
 */
export async function* callMethod(
  method: DescMethod,
  request: JsonValue,
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  const startedMs = performance.now();
  const message = fromJson(method.input, request);
  let messages = 0;
  const answer = (output: Parameters<typeof toJson>[1]): Answer => ({
    json: JSON.stringify(toJson(method.output, output), undefined, 2),
    messages: ++messages,
    tookMs: performance.now() - startedMs,
  });
  if (method.methodKind === "unary") {
    const response = await transport.unary(method as UnaryMethod, signal, undefined, undefined, message);
    yield answer(response.message);
    return;
  }
  const input = (async function* one() {
    yield message;
  })();
  const response = await transport.stream(method as StreamMethod, signal, undefined, undefined, input);
  for await (const each of response.message) yield answer(each);
}

type UnaryMethod = Parameters<Transport["unary"]>[0];
type StreamMethod = Parameters<Transport["stream"]>[0];
