import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  ListReadingsRequestSchema,
  type QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { different } from "./differences.ts";
import type { Bound, Oracle, OracleGrouping, Question } from "./oracle.ts";

/** The service under test, and the oracle. */
export type Exam = {
  readonly query: Client<typeof QueryService>;
  readonly oracle: Oracle;
  /** The size of the finest windows in ms. */
  readonly windowMs: number;
  /** The time of the query, by the log's clock: exports wait for a horizon that is not before it. */
  readonly askedMs?: number;
};

/** The requested page of an answer. */
export type PageRequest = { readonly pageSize: number; readonly pageToken: string };

/** Maximum number of rows of a page, by the contract. */
const pageRowsMax = 2500;

/** Reads all pages by their tokens and compares each with its share of the expected answer. */
export async function pageDifferences<Wanted>(
  wanted: readonly Wanted[],
  pages: number | undefined,
  read: (
    page: PageRequest,
    want: readonly Wanted[],
  ) => Promise<{ readonly lines: readonly string[]; readonly nextPageToken: string }>,
): Promise<string[]> {
  const share =
    pages === undefined ? 0 : Math.min(Math.max(Math.ceil(wanted.length / pages), 1), pageRowsMax);
  const size = share || pageRowsMax;
  let pageToken = "";
  for (let start = 0; ; start += size) {
    const { lines, nextPageToken } = await read(
      { pageSize: share, pageToken },
      wanted.slice(start, start + size),
    );
    const hasNext = different(
      "has a next page",
      `${nextPageToken !== ""}`,
      `${start + size < wanted.length}`,
    );
    const problems = [...lines, ...hasNext].map((line) => `page from row ${start}: ${line}`);
    if (problems.length > 0 || nextPageToken === "") return problems;
    pageToken = nextPageToken;
  }
}

/** Returns nothing if a call is rejected as expected. */
export async function refusalDifferences(
  call: Promise<unknown>,
  wanted = Code.InvalidArgument,
  subject = "group_by",
): Promise<string[]> {
  try {
    await call;
    return [`got an answer, wanted ${Code[wanted]} on ${subject}`];
  } catch (error) {
    const { code, message } = ConnectError.from(error);
    return code === wanted && message.includes(subject)
      ? []
      : [`got ${Code[code]} ${message}, wanted ${Code[wanted]} on ${subject}`];
  }
}

/** Returns the filter and the timeframe of a query in the form of the contract. */
export function requestOf({ deviceIds, sensors, since, to }: Question) {
  // Made as a message once, which drops undefined fields.
  const { since: sinceTime, to: toTime } = create(ListReadingsRequestSchema, {
    ...(since && { since: timestampOf(since) }),
    ...(to && { to: timestampOf(to) }),
  });
  return {
    deviceIds: [...deviceIds],
    sensors: [...sensors],
    ...(sinceTime && { since: sinceTime }),
    ...(toTime && { to: toTime }),
  };
}

/** Returns the field of a request for time-weighted averages, if they are requested. */
export function weightingOf(maxHoldMs: number | undefined) {
  if (maxHoldMs === undefined) return {};
  const { seconds, nanos } = protoTimestamp(maxHoldMs);
  return { timeWeighting: { maxHold: { seconds, nanos } } };
}

/** A bound in the form of the contract. */
function timestampOf({ ms, nanos }: Bound): { seconds: bigint; nanos: number } {
  const timestamp = protoTimestamp(ms);
  return { seconds: timestamp.seconds, nanos: timestamp.nanos + nanos };
}

/** A grouping in the form of the contract. */
export function groupByOf(grouping: OracleGrouping): GroupBy {
  return {
    series: GroupBy.SERIES,
    sensor: GroupBy.SENSOR,
    device: GroupBy.DEVICE,
    all: GroupBy.ALL,
  }[grouping];
}
