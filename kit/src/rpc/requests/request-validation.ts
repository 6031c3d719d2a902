import { type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { RpcError } from "../rpc-error.ts";
import { enumNames } from "./json-requests.ts";
import { throwIfMalformed } from "./malformed-messages.ts";

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

/** Seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z: the range of google.protobuf.Timestamp. */
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
