import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import {
  type ConnectRouter,
  type ContextValues,
  createContextKey,
  createContextValues,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { withFactsOf } from "../by-content-type.ts";
import { RpcError } from "../rpc-error.ts";

/** The problem of the bytes of a request. */
const malformedKey = createContextKey<string | undefined>(undefined, { description: "malformed message" });

/**
 * Lets the routes of a router report requests whose bytes are not a message: Connect itself calls them INTERNAL, and no
 * interceptor sees them. Such a request is marked and continues with an empty message; `throwIfMalformed` then rejects
 * it in an interceptor. Call it when all routes are added. Connect handles a request that is larger than
 * `readMaxBytes`, or compressed.
 */
export function markMalformedMessages(
  router: ConnectRouter,
  { readMaxBytes }: { readonly readMaxBytes: number },
): void {
  const marked = router.handlers.map((handler) => {
    const { methodKind } = handler.method;
    return methodKind === "unary" || methodKind === "server_streaming"
      ? marking(handler, readMaxBytes)
      : handler;
  });
  router.handlers.splice(0, router.handlers.length, ...marked);
}

/** Returns the problem of a marked request; undefined if it is not marked. */
export function malformedText(contextValues: ContextValues): string | undefined {
  return contextValues.get(malformedKey);
}

/** @throws RpcError INVALID_ARGUMENT if the request was marked. */
export function throwIfMalformed(contextValues: ContextValues, schema: DescMessage): void {
  const problem = malformedText(contextValues);
  if (problem === undefined) return;
  const description = `is not a ${schema.typeName}: ${problem}`;
  throw new RpcError({
    code: "INVALID_ARGUMENT",
    message: `the request ${description}`,
    details: [{ kind: "badRequest", violations: [{ field: "", description, reason: "MALFORMED_MESSAGE" }] }],
  });
}

function marking(handler: UniversalHandler, readMaxBytes: number): UniversalHandler {
  const schema = handler.method.input;
  const handle = (request: UniversalServerRequest) => {
    const contextValues = request.contextValues ?? createContextValues();
    return handler(marked({ ...request, contextValues }, { schema, readMaxBytes }));
  };
  return withFactsOf(handler, handle);
}

type MarkedRequest = UniversalServerRequest & { readonly contextValues: ContextValues };
type MarkOptions = { readonly schema: DescMessage; readonly readMaxBytes: number };

function marked(request: MarkedRequest, options: MarkOptions): UniversalServerRequest {
  if (request.method === "GET") return markedQuery(request, options.schema);
  const framing = framingOf(request.header.get("content-type") ?? "");
  const isTooLarge = Number(request.header.get("content-length") ?? 0) > options.readMaxBytes + envelopeBytes;
  const isCompressed = framing === "plain" && request.header.has("content-encoding");
  if (framing === undefined || isTooLarge || isCompressed || !isByteStream(request.body)) return request;
  const header = new Headers(request.header);
  // The handler may read the empty message instead.
  header.delete("content-length");
  return { ...request, header, body: markedBody({ ...request, body: request.body }, framing, options) };
}

/** Returns a message unchanged, or after five bytes with its length. */
type Framing = "plain" | "enveloped";

const envelopeBytes = 5;

/** Undefined for JSON, which Connect checks well. */
function framingOf(contentType: string): Framing | undefined {
  const [type = ""] = contentType.split(";");
  if (type.trim() === "application/proto") return "plain";
  return /^application\/(connect\+proto|grpc(-web)?(\+proto)?)$/.test(type.trim()) ? "enveloped" : undefined;
}

async function* markedBody(
  request: MarkedRequest & { readonly body: AsyncIterable<Uint8Array> },
  framing: Framing,
  { schema, readMaxBytes }: MarkOptions,
): AsyncIterable<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytesLength = 0;
  let isLong = false;
  for await (const chunk of request.body) {
    if (isLong) {
      yield chunk;
      continue;
    }
    chunks.push(chunk);
    bytesLength += chunk.byteLength;
    // Connect rejects it, and needs only this much to do so.
    isLong = bytesLength > readMaxBytes + envelopeBytes || announcedBytes(framing, chunks) > readMaxBytes;
    if (isLong) yield* chunks;
  }
  if (isLong) return;
  const bytes = Buffer.concat(chunks);
  const message = framing === "plain" ? bytes : messageOf(bytes);
  const problem = message && problemOf(schema, message);
  if (problem === undefined) {
    yield bytes;
  } else {
    request.contextValues.set(malformedKey, problem);
    yield new Uint8Array(framing === "plain" ? 0 : envelopeBytes);
  }
}

/** Returns the declared length of the first message; 0 while it is unknown. */
function announcedBytes(framing: Framing, chunks: readonly Uint8Array[]): number {
  if (framing === "plain") return 0;
  const [first = new Uint8Array(), ...more] = chunks;
  const head = first.byteLength >= envelopeBytes ? first : Buffer.concat([first, ...more]);
  if (head.byteLength < envelopeBytes) return 0;
  // One byte of flags precedes it.
  return new DataView(head.buffer, head.byteOffset).getUint32(1);
}

/** Returns the message of the first envelope; undefined if it is compressed or incomplete, which Connect checks. */
function messageOf(bytes: Buffer): Uint8Array | undefined {
  if (bytes.byteLength < envelopeBytes || bytes[0] !== 0) return undefined;
  const length = bytes.readUInt32BE(1);
  return bytes.byteLength < envelopeBytes + length
    ? undefined
    : bytes.subarray(envelopeBytes, envelopeBytes + length);
}

function markedQuery(request: MarkedRequest, schema: DescMessage): UniversalServerRequest {
  const url = new URL(request.url);
  const query = url.searchParams;
  if (query.get("encoding") !== "proto" || query.has("compression")) return request;
  const problem = problemOf(schema, () => bytesOfQuery(query));
  if (problem === undefined) return request;
  request.contextValues.set(malformedKey, problem);
  query.set("message", "");
  return { ...request, url: url.toString() };
}

function bytesOfQuery(query: URLSearchParams): Uint8Array {
  const message = query.get("message") ?? "";
  return query.get("base64") === "1" ? base64Decode(message) : new TextEncoder().encode(message);
}

function problemOf(schema: DescMessage, bytes: Uint8Array | (() => Uint8Array)): string | undefined {
  try {
    fromBinary(schema, typeof bytes === "function" ? bytes() : bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isByteStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
