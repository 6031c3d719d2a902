import { type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { toConnectError } from "../connect-status.ts";
import { RpcError } from "../rpc-error.ts";
import { envelopeHeaderBytes } from "./incomplete-requests.ts";
import { enumNames } from "./json-requests.ts";

type FieldViolation = { readonly field: string; readonly description: string; readonly reason: string };

/**
 * Checks every request against the rules of the contract before the handler sees it: that its bytes are a valid
 * message, that timestamps and durations are well formed, and the rules of protovalidate.
 * @throws RpcError INVALID_ARGUMENT that names each field with its rule; the handler is not called.
 */
export function createValidationInterceptor(): Interceptor {
  const validator = createValidator();

  function check(
    request: Pick<UnaryRequest | StreamRequest, "contextValues" | "method">,
    message: Message,
  ): void {
    const { input } = request.method;
    throwIfMalformed(request.contextValues, input);
    const malformed = malformedTimes(reflect(input, message), "");
    // The rules compare times, which must be well formed.
    if (malformed.length > 0) throw violationsError(malformed);
    const result = validator.validate(input, message);
    if (result.kind === "invalid") throw violationsError(result.violations.map(fieldViolation));
    if (result.kind === "error") throw result.error;
  }

  async function* checked<T extends Message>(
    request: Pick<StreamRequest, "contextValues" | "method">,
    messages: AsyncIterable<T>,
  ): AsyncIterable<T> {
    for await (const message of messages) {
      check(request, message);
      yield message;
    }
  }

  return (next) => async (request) => {
    if (request.stream) return next({ ...request, message: checked(request, request.message) });
    check(request, request.message);
    return next(request);
  };
}

/** What is wrong with the bytes of a request, where they are not its message. */
const malformedKey = createContextKey<string | undefined>(undefined, { description: "malformed message" });

/** What is wrong with the bytes of a unary request; undefined if they are the message. */
export function malformedText(contextValues: ContextValues): string | undefined {
  return contextValues.get(malformedKey);
}

/**
 * Handles a request. Connect answers INTERNAL where the bytes of a unary request are not the message, before any
 * interceptor sees the call. Such a request is handled again with an empty message and with what is wrong, which
 * `malformedText` returns, and which `throwIfMalformed` rejects.
 */
export async function handleExplained(
  handler: UniversalHandler,
  request: UniversalServerRequest & { readonly contextValues: ContextValues },
): Promise<UniversalServerResponse> {
  const response = await handler(request);
  if (handler.method.methodKind !== "unary") return response;
  const { problem, same } = await parseProblemOf(response);
  if (problem === undefined) return same;
  request.contextValues.set(malformedKey, problem);
  return handler(emptied(request));
}

/** The innermost interceptor: rejects what no other has. The message of a malformed unary request is empty here. */
export const rejectMalformed: Interceptor = (next) => (request) => {
  const { input, methodKind } = request.method;
  try {
    throwIfMalformed(request.contextValues, input);
  } catch (error) {
    throw toConnectError(error);
  }
  if (!request.stream || methodKind !== "server_streaming") return next(request);
  return next({ ...request, message: explained(request.message, input) });
};

/** Connect reads the message of a stream behind the interceptors. */
async function* explained<T>(messages: AsyncIterable<T>, schema: DescMessage): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    const problem =
      error instanceof ConnectError && error.code === Code.Internal && problemIn(error.rawMessage);
    throw problem ? toConnectError(malformedError(schema, problem)) : error;
  }
}

/** @throws RpcError INVALID_ARGUMENT if the bytes of the request are not its message. */
export function throwIfMalformed(contextValues: ContextValues, schema: DescMessage): void {
  const problem = malformedText(contextValues);
  if (problem !== undefined) throw malformedError(schema, problem);
}

function malformedError(schema: DescMessage, problem: string): RpcError {
  const description = `is not a ${schema.typeName}: ${problem}`;
  return new RpcError({
    code: "INVALID_ARGUMENT",
    message: `the request ${description}`,
    details: [{ kind: "badRequest", violations: [{ field: "", description, reason: "MALFORMED_MESSAGE" }] }],
  });
}

/** How Connect words it. */
const parseFailure = /^parse binary: (.*)$/s;

/** What Connect reports as wrong with the bytes, and the response with all of its body. */
async function parseProblemOf(
  response: UniversalServerResponse,
): Promise<{ readonly problem?: string | undefined; readonly same: UniversalServerResponse }> {
  const { body, status, header, trailer } = response;
  const inTrailer = trailer?.get("grpc-message");
  if (inTrailer) return { problem: problemIn(decodeURIComponent(inTrailer)), same: response };
  const isWeb = header?.get("content-type")?.startsWith("application/grpc-web") === true;
  if (!body || (status !== 500 && !isWeb) || header?.has("content-encoding")) return { same: response };
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return { same: { ...response, body: restOf([], chunks) } };
  const same = { ...response, body: restOf([first.value], chunks) };
  return { problem: isWeb ? problemInTrailers(first.value) : problemInJson(first.value), same };
}

async function* restOf(
  first: readonly Uint8Array[],
  rest?: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield* first;
  if (rest) yield* { [Symbol.asyncIterator]: () => rest };
}

function problemIn(message: string): string | undefined {
  return parseFailure.exec(message)?.[1];
}

/** The trailers of gRPC-Web are the last envelope of the body, and the first of a call that failed. */
function problemInTrailers(chunk: Uint8Array): string | undefined {
  if (chunk[0] !== 0x80) return undefined;
  const trailers = Buffer.from(chunk.subarray(envelopeHeaderBytes)).toString("latin1");
  const [, message] = /^grpc-message: (.*)$/m.exec(trailers) ?? [];
  return message === undefined ? undefined : problemIn(decodeURIComponent(message.trim()));
}

function problemInJson(chunk: Uint8Array): string | undefined {
  const { message } = JSON.parse(Buffer.from(chunk).toString()) as { readonly message?: unknown };
  return typeof message === "string" ? problemIn(message) : undefined;
}

/** The request with an empty message. */
function emptied(request: UniversalServerRequest): UniversalServerRequest {
  const header = new Headers(request.header);
  if (request.method === "GET") {
    const url = new URL(request.url);
    url.searchParams.set("message", "");
    url.searchParams.delete("compression");
    return { ...request, url: url.toString() };
  }
  // Neither the length nor the compression is that of the empty message.
  for (const name of ["content-length", "content-encoding", "grpc-encoding"]) header.delete(name);
  const isPlain = header.get("content-type")?.startsWith("application/proto") === true;
  return { ...request, header, body: restOf([new Uint8Array(isPlain ? 0 : envelopeHeaderBytes)]) };
}

/** Seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z: what google.protobuf.Timestamp allows. */
const timestampSeconds = [-62_135_596_800n, 253_402_300_799n] as const;

/** The range of google.protobuf.Duration, in both directions. */
const durationSecondsMax = 315_576_000_000n;

function malformedTimes(message: ReflectMessage, path: string): FieldViolation[] {
  return message.fields.flatMap((field) => {
    if (field.fieldKind !== "message" || !message.isSet(field)) return [];
    const at = `${path}${field.name}`;
    const inner = message.get(field);
    const problem = timeProblem(field.message, inner);
    return problem ? [{ field: at, ...problem }] : malformedTimes(inner, `${at}.`);
  });
}

function timeProblem(
  schema: DescMessage,
  message: ReflectMessage,
): Omit<FieldViolation, "field"> | undefined {
  const isTimestamp = schema.typeName === "google.protobuf.Timestamp";
  if (!isTimestamp && schema.typeName !== "google.protobuf.Duration") return undefined;
  const seconds = numberOf(message, "seconds");
  const nanos = numberOf(message, "nanos");
  if (isTimestamp) {
    const isValid =
      seconds >= timestampSeconds[0] &&
      seconds <= timestampSeconds[1] &&
      nanos >= 0n &&
      nanos < 1_000_000_000n;
    const description = "seconds must be in years 1 to 9999, nanos from 0 to 999,999,999";
    return isValid ? undefined : { description, reason: "timestamp.well_formed" };
  }
  const isOneSign = seconds === 0n || nanos === 0n || seconds < 0n === nanos < 0n;
  const isInRange = magnitude(seconds) <= durationSecondsMax && magnitude(nanos) < 1_000_000_000n;
  const description = "must be within 10,000 years, seconds and nanos of one sign";
  return isOneSign && isInRange ? undefined : { description, reason: "duration.well_formed" };
}

function numberOf(message: ReflectMessage, name: string): bigint {
  const field = message.fields.find((candidate) => candidate.name === name);
  if (field?.fieldKind !== "scalar" || field.scalar === ScalarType.STRING) return 0n;
  return BigInt(message.get(field) as bigint | number);
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function fieldViolation({ field, message, ruleId }: Violation): FieldViolation {
  // A rule over several fields has no path; its id begins with the name of its field.
  const about = pathText(field) || (ruleId.split(".")[0] ?? "");
  const description = ruleId === "enum.defined_only" ? `${message}: ${enumNamesOf(field)}` : message;
  return { field: about, description, reason: ruleId };
}

/** Returns the valid names of an enum field. */
function enumNamesOf(path: Violation["field"]): string {
  const field = path.findLast((part) => part.kind === "field");
  return field?.enum ? enumNames(field.enum) : "";
}

/** Formats a path in the notation of the contract: `device_ids[3]`; empty for a rule of the whole message. */
function pathText(path: Violation["field"]): string {
  return path.reduce((text, part) => {
    switch (part.kind) {
      case "field":
        return text === "" ? part.name : `${text}.${part.name}`;
      case "oneof":
        return text === "" ? part.name : `${text}.${part.name}`;
      case "list_sub":
        return `${text}[${part.index}]`;
      case "map_sub":
        return `${text}[${JSON.stringify(String(part.key))}]`;
      default:
        return text;
    }
  }, "");
}

function violationsError(violations: readonly FieldViolation[]): RpcError {
  const [first] = violations;
  return new RpcError({
    code: "INVALID_ARGUMENT",
    message: violations
      .slice(0, 3)
      .map(({ field, description }) => (field === "" ? description : `${field}: ${description}`))
      .concat(violations.length > 3 ? [`and ${violations.length - 3} more`] : [])
      .join("; "),
    details: first ? [{ kind: "badRequest", violations }] : [],
  });
}
