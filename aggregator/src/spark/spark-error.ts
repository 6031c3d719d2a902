import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";

/**
 * - away: Spark cannot be reached, or did not answer in time; what was asked may have happened all the same
 * - queryNotFound: Spark does not know the run of a query, such as after its restart
 * - failed: Spark refused or could not do it
 */
export type SparkErrorKind = "away" | "queryNotFound" | "failed";

/** What a call to Spark can end with. */
export class SparkError extends Error {
  override readonly name = "SparkError";
  readonly kind: SparkErrorKind;
  /** Where in Spark it happened, if it told. */
  readonly trace: string;

  constructor(kind: SparkErrorKind, message: string, options: { trace?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.trace = options.trace ?? "";
  }
}

const awayCodes: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.DataLoss,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unavailable,
  Code.Unknown,
]);

/**
 * Translates what a call threw. Spark puts an ErrorInfo into every error of its own; without one, the
 * connection broke or something else than Spark answered.
 */
export function toSparkError(thrown: unknown): SparkError {
  if (thrown instanceof SparkError) return thrown;
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info) {
    // Spark has no name for it: it is an internal error with this text.
    const isLost = /Streaming query \S+ is not found/.test(error.rawMessage);
    const message = `${info.reason}: ${error.rawMessage}`;
    return new SparkError(isLost ? "queryNotFound" : "failed", message, { cause: error });
  }
  if (awayCodes.has(error.code)) {
    return new SparkError("away", `Spark does not answer: ${error.message}`, { cause: error });
  }
  if (error.code === Code.Unauthenticated) {
    const text = `Spark rejected the token: set --spark-token to its SPARK_CONNECT_AUTHENTICATE_TOKEN (${error.rawMessage})`;
    return new SparkError("failed", text, { cause: error });
  }
  return new SparkError("failed", error.message, { cause: error });
}

/** So much of a trace is kept: the head, and the causes further down are in the message anyway. */
const traceLengthMax = 4000;

/** Why a query ended, from what Spark says of it: without the plan, which is longer than all the rest. */
export function queryEnded(failure: { readonly message: string; readonly stackTrace: string }): SparkError {
  const [message = ""] = failure.message.split("\n");
  const traceStart = failure.stackTrace.search(/^\s+at /m);
  const trace = traceStart < 0 ? "" : failure.stackTrace.slice(traceStart);
  return new SparkError("failed", message, { trace: trace.slice(0, traceLengthMax) });
}
