import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";

/**
 * - unavailable: Spark is unreachable, or did not answer in time; the request may have been executed all the same
 * - queryNotFound: Spark does not know the run of a query, for example after its restart
 * - failed: Spark rejected the request, or it failed
 */
export type SparkErrorKind = "unavailable" | "queryNotFound" | "failed";

/** The kinds of failures of a call to Spark. */
export class SparkError extends Error {
  override readonly name = "SparkError";
  readonly kind: SparkErrorKind;
  /** The place of the failure in Spark, if it was reported. */
  readonly trace: string;

  constructor(kind: SparkErrorKind, message: string, options: { trace?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.trace = options.trace ?? "";
  }
}

const unavailableCodes: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.DataLoss,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unavailable,
  Code.Unknown,
]);

/**
 * Translates the error of a call. Spark puts an ErrorInfo into every error of its own; without one, the connection
 * broke or another server answered.
 */
export function toSparkError(thrown: unknown): SparkError {
  if (thrown instanceof SparkError) return thrown;
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info) {
    // Spark has no code for it: it is an internal error with this text.
    const isLost = /Streaming query \S+ is not found/.test(error.rawMessage);
    const message = `${info.reason}: ${error.rawMessage}`;
    return new SparkError(isLost ? "queryNotFound" : "failed", message, { cause: error });
  }
  if (unavailableCodes.has(error.code)) {
    return new SparkError("unavailable", `Spark does not answer: ${error.message}`, { cause: error });
  }
  if (error.code === Code.Unauthenticated) {
    const text = `Spark rejected the token: set --spark-token to its SPARK_CONNECT_AUTHENTICATE_TOKEN (${error.rawMessage})`;
    return new SparkError("failed", text, { cause: error });
  }
  return new SparkError("failed", error.message, { cause: error });
}

/** Length of a trace that is kept: its head; the message has the causes further down anyway. */
const traceLengthMax = 4000;

/** Formats the reason why a query ended, from Spark's error: without the plan, which is longer than everything else. */
export function queryEnded(failure: { readonly message: string; readonly stackTrace: string }): SparkError {
  const [message = ""] = failure.message.split("\n");
  const traceStart = failure.stackTrace.search(/^\s+at /m);
  const trace = traceStart < 0 ? "" : failure.stackTrace.slice(traceStart);
  return new SparkError("failed", message, { trace: trace.slice(0, traceLengthMax) });
}
