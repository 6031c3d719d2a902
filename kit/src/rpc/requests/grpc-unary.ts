import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createMethodImplSpec,
  createServiceImplSpec,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import {
  type Compression,
  compressionNegotiate,
  createMethodSerializationLookup,
  encodeEnvelope,
  envelopeCompress,
  invokeUnaryImplementation,
} from "@connectrpc/connect/protocol";
import { parseTimeout, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { OnePortRequest, OnePortResponse } from "../../server/one-port-server.ts";
import { encodedGrpcMessage } from "./grpc-message.ts";
import { envelopeHeaderBytes } from "./incomplete-requests.ts";
import { clampGrpcTimeout } from "./timeout-headers.ts";

/** The options of a router that such a call needs too. */
type GrpcUnaryOptions = {
  readonly interceptors: readonly Interceptor[];
  readonly acceptCompression: readonly Compression[];
  readonly readMaxBytes: number;
  readonly writeMaxBytes: number;
  readonly shutdownSignal?: AbortSignal | undefined;
  readonly gate?: ((context: HandlerContext) => Promise<void>) | undefined;
};

/** A call whose body has not been read. */
type OpenCall = {
  readonly body: AsyncIterable<Uint8Array>;
  readonly contextValues: ContextValues;
};

/** Answers a call; returns its body, from the start, if the request is unusual: then Connect must answer it. */
type AnswerUnary = (call: OpenCall) => Promise<AsyncIterable<Uint8Array> | undefined>;

type AnswerHttp2 = (
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  call: OpenCall,
) => ReturnType<AnswerUnary>;

/**
 * Answers unary calls of gRPC over HTTP/2 like Connect's handlers, with the same interceptors, for less than half of
 * their CPU: those pass each message through a dozen async iterables, which serve all protocols, streams and
 * encodings. Unusual requests, such as compressed or malformed ones, are left to Connect.
 */
export type GrpcUnary = {
  /** Returns a router that adds services to `router`, and remembers their unary methods. */
  remembering(router: ConnectRouter): ConnectRouter;
  /** Returns how to answer the call of a path, if its headers are usual. */
  answerOf(path: string, request: OnePortRequest, response: OnePortResponse): AnswerUnary | undefined;
};

/** From this number of bytes on a message is compressed, if the client accepts that; Connect's default. */
const compressMinBytes = 1024;

const plainTypes: readonly unknown[] = ["application/grpc", "application/grpc+proto"];

/** Creates it without services. */
export function createGrpcUnary(options: GrpcUnaryOptions): GrpcUnary {
  const answers = new Map<string, AnswerHttp2>();

  function remember(spec: MethodImplSpec, own: object | undefined): void {
    // This is binary, so options for JSON do not matter. A method with others of its own is left to Connect.
    if (spec.kind !== "unary" || Object.keys(own ?? {}).some((option) => option !== "jsonOptions")) return;
    const { parent, name } = spec.method;
    answers.set(`/${parent.typeName}/${name}`, createAnswer(spec, options));
  }

  return {
    remembering(router) {
      const remembering: ConnectRouter = {
        handlers: router.handlers,
        service(service, implementation, own) {
          router.service(service, implementation, own);
          const { methods } = createServiceImplSpec(service, implementation);
          for (const spec of Object.values(methods)) remember(spec, own);
          return remembering;
        },
        rpc(method, implementation, own) {
          router.rpc(method, implementation, own);
          remember(createMethodImplSpec(method, implementation), own);
          return remembering;
        },
      };
      return remembering;
    },
    answerOf(path, request, response) {
      if (!("stream" in request) || !("stream" in response)) return undefined;
      const { headers } = request;
      const encoding = headers["grpc-encoding"];
      const isUsual =
        request.method === "POST" &&
        plainTypes.includes(headers["content-type"]) &&
        (encoding === undefined || encoding === "identity");
      const answer = isUsual ? answers.get(path) : undefined;
      return answer && ((call) => answer(request, response, call));
    },
  };
}

function createAnswer(
  spec: Extract<MethodImplSpec, { readonly kind: "unary" }> & { readonly method: DescMethodUnary },
  options: GrpcUnaryOptions,
): AnswerHttp2 {
  const { readMaxBytes, writeMaxBytes, acceptCompression, shutdownSignal, gate } = options;
  const interceptors = [...options.interceptors];
  const available = [...acceptCompression];
  const limits = { readMaxBytes, writeMaxBytes };
  const serialization = createMethodSerializationLookup(spec.method, undefined, undefined, limits);
  const input = serialization.getI(true);
  const output = serialization.getO(true);

  return async (request, response, { body, contextValues }) => {
    const header = headersOf(request);
    const asked = header.get("grpc-timeout");
    const timeout = parseTimeout(asked && clampGrpcTimeout(asked), Number.MAX_SAFE_INTEGER);
    if (timeout.error || (timeout.timeoutMs ?? 1) <= 0) return body;
    const accepted = header.get("grpc-accept-encoding");
    const compression = compressionNegotiate(available, null, accepted, "grpc-accept-encoding").response;
    const call = openCall(request, { timeoutMs: timeout.timeoutMs, shutdownSignal });
    const context: HandlerContext = {
      service: spec.method.parent,
      method: spec.method,
      protocolName: "grpc",
      requestMethod: "POST",
      url: `${request.scheme}://${request.authority || request.headers.host}${request.url}`,
      signal: call.signal,
      timeoutMs: call.leftMs,
      requestHeader: header,
      responseHeader: new Headers(compression ? { "grpc-encoding": compression.name } : undefined),
      responseTrailer: new Headers(),
      values: contextValues,
    };
    try {
      await gate?.(context);
      const whole = await readWhole(body, readMaxBytes);
      const parsed = "bytes" in whole ? parsedOf(whole.bytes, input) : undefined;
      if (!parsed) return whole.again();
      const message = await invokeUnaryImplementation(spec, context, parsed.message, interceptors);
      const envelope = { flags: 0, data: output.serialize(message) };
      const { flags, data } =
        compression && envelope.data.length >= compressMinBytes
          ? await envelopeCompress(envelope, compression, compressMinBytes)
          : envelope;
      respond(response, context, { "grpc-status": "0" }, encodeEnvelope(flags, data));
    } catch (error) {
      respond(response, context, errorTrailer(error, context), undefined);
    } finally {
      call.end();
    }
    return undefined;
  };
}

/** Returns the headers of a request without the pseudo headers. */
function headersOf({ headers }: Http2ServerRequest): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue;
    if (typeof value === "string") result.set(name, value);
    else for (const each of value) result.append(name, each);
  }
  return result;
}

/** Begins a call: its signal aborts when the client disconnects, its deadline passes or the server cuts it. */
function openCall(
  request: Http2ServerRequest,
  {
    timeoutMs,
    shutdownSignal,
  }: { readonly timeoutMs: number | undefined; readonly shutdownSignal: AbortSignal | undefined },
) {
  const calling = new AbortController();
  const begunMs = performance.now();
  const left = (): void => calling.abort(new ConnectError("the client disconnected", Code.Canceled));
  const late = (): void => calling.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  const cut = (): void => calling.abort(shutdownSignal?.reason);
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
  request.once("close", left);
  shutdownSignal?.addEventListener("abort", cut, { once: true });
  if (shutdownSignal?.aborted) cut();
  return {
    signal: calling.signal,
    leftMs: () => timeoutMs && timeoutMs - (performance.now() - begunMs),
    end(): void {
      clearTimeout(timer);
      request.off("close", left);
      shutdownSignal?.removeEventListener("abort", cut);
    },
  };
}

type Whole = { readonly bytes?: Uint8Array; again(): AsyncIterable<Uint8Array> };

/** Reads a body to its end, unless it is larger than one message. `again` returns all of it. */
async function readWhole(body: AsyncIterable<Uint8Array>, readMaxBytes: number): Promise<Whole> {
  const chunks: Uint8Array[] = [];
  const rest = body[Symbol.asyncIterator]();
  async function* again(): AsyncIterable<Uint8Array> {
    yield* chunks;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  let length = 0;
  while (length <= readMaxBytes + envelopeHeaderBytes) {
    const { done, value } = await rest.next();
    if (done) {
      return { again, bytes: chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks) };
    }
    chunks.push(value);
    length += value.length;
  }
  return { again };
}

/** Returns the message of a body; undefined if it is not exactly one that is valid and not compressed. */
function parsedOf<Message>(
  bytes: Uint8Array,
  serialization: { parse(data: Uint8Array): Message },
): { readonly message: Message } | undefined {
  if (bytes.length < envelopeHeaderBytes || bytes[0] !== 0) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  if (length !== bytes.length - envelopeHeaderBytes) return undefined;
  try {
    return { message: serialization.parse(bytes.subarray(envelopeHeaderBytes)) };
  } catch {
    return undefined;
  }
}

function errorTrailer(error: unknown, { responseTrailer }: HandlerContext): Record<string, string> {
  const status =
    error instanceof ConnectError
      ? error
      : new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  setTrailerStatus(responseTrailer, status);
  return { "grpc-message": encodedGrpcMessage(status.rawMessage) };
}

/** Sends headers, the message if there is one, and trailers. */
function respond(
  response: Http2ServerResponse,
  { responseHeader, responseTrailer }: HandlerContext,
  trailer: Record<string, string>,
  message: Uint8Array | undefined,
): void {
  const { stream } = response;
  if (!stream || stream.destroyed || stream.closed) return;
  response.writeHead(200, {
    "content-type": "application/grpc+proto",
    ...Object.fromEntries(responseHeader),
  });
  response.addTrailers({ ...Object.fromEntries(responseTrailer), ...trailer });
  if (message) response.end(message);
  else response.end();
}
