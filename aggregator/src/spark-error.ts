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
  /** Spark's own name of the condition, where it has one: "INVALID_HANDLE.SESSION_CLOSED". */
  readonly errorClass: string | undefined;

  constructor(kind: SparkErrorKind, message: string, options: { errorClass?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.errorClass = options.errorClass;
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
    const { errorClass } = info.metadata;
    const message = `${info.reason}: ${error.rawMessage}`;
    const isLost = /QUERY_NOT_FOUND|SESSION_NOT_FOUND/.test(errorClass ?? "");
    return new SparkError(isLost ? "queryNotFound" : "failed", message, {
      ...(errorClass ? { errorClass } : {}),
      cause: error,
    });
  }
  if (awayCodes.has(error.code)) {
    return new SparkError("away", `Spark does not answer: ${error.message}`, { cause: error });
  }
  return new SparkError("failed", error.message, { cause: error });
}
