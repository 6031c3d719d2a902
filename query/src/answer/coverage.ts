import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import type { CoverageSchema, TimeSpanSchema } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { allTime } from "../plan/planner.ts";
import type { Span } from "../plan/spans.ts";

/** The coverage of an answer; see Coverage in the contract. Times in ms since 1970. */
export type AnswerCoverage = {
  readonly completeThroughMs: number;
  /** The frontier of the finest level; 0 if nothing is folded. */
  readonly frontierMs: number;
  readonly fromWindows: number;
  readonly fromRaw: number;
  readonly notCovered: readonly Span[];
};

/** Converts a coverage to the contract's form. A span that begins or ends with all time has no bound there. */
export function coverageMessage(coverage: AnswerCoverage): MessageInitShape<typeof CoverageSchema> {
  const { completeThroughMs, frontierMs, fromWindows, fromRaw, notCovered } = coverage;
  return {
    completeThrough: protoTimestamp(completeThroughMs),
    ...(frontierMs > 0 && { frontier: protoTimestamp(frontierMs) }),
    fromWindows: BigInt(fromWindows),
    fromRaw: BigInt(fromRaw),
    notCovered: notCovered.map(spanMessage),
  };
}

/** Converts a span to the contract's form; without a bound where it begins or ends with all time. */
export function spanMessage({ sinceMs, toMs }: Span): MessageInitShape<typeof TimeSpanSchema> {
  return {
    ...(sinceMs > allTime.sinceMs && { since: protoTimestamp(sinceMs) }),
    ...(toMs < allTime.toMs && { to: protoTimestamp(toMs) }),
  };
}
