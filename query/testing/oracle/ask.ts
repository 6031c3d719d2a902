import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type DeviceMessage, protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  ListReadingsRequestSchema,
  type ListReadingsResponse,
  Order,
  type QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  bucketDifferences,
  coverageDifferences,
  different,
  rowDifferences,
  timeOf,
  timeText,
} from "./differences.ts";
import type { Bound, Oracle, OracleGrouping, Question } from "./oracle.ts";
import type { CallPlan } from "./questions.ts";

/** The one who is asked, and the one who knows. */
export type Exam = {
  readonly query: Client<typeof QueryService>;
  readonly oracle: Oracle;
  /** The size of the finest windows in ms. */
  readonly windowMs: number;
};

/** Asks one question and gives where the answer is not the oracle's, a line each; none if all is well. */
export function ask(exam: Exam, question: Question, call: CallPlan): Promise<string[]> {
  switch (call.kind) {
    case "aggregates":
      return askAggregates(exam, question, call);
    case "buckets":
      return askBuckets(exam, question, call);
    case "readings":
      return askReadings(exam, question, call);
  }
}

async function askAggregates(
  { query, oracle }: Exam,
  question: Question,
  { grouping, pages }: Extract<CallPlan, { kind: "aggregates" }>,
): Promise<string[]> {
  const wanted = oracle.aggregates(question, grouping);
  const read = (page: PageRequest) =>
    query.getAggregates({ ...requestOf(question), groupBy: groupByOf(grouping), ...page });
  if (wanted.kind === "mixedUnits") return refusalDifferences(read({ pageSize: 0, pageToken: "" }));
  return pageDifferences(wanted.value, pages, async (page, want) => {
    const { rows, coverage, nextPageToken } = await read(page);
    const total = want.reduce((sum, { count }) => sum + count, 0);
    const lines = [...rowDifferences(rows, want), ...coverageDifferences(coverage, total)];
    return { lines, nextPageToken };
  });
}

async function askBuckets(
  { query, oracle, windowMs }: Exam,
  question: Question,
  { grouping, resolution, fill, pages }: Extract<CallPlan, { kind: "buckets" }>,
): Promise<string[]> {
  const bucketMs =
    resolution.kind === "bucket"
      ? affordable({ oracle, question, bucketMs: resolution.windows * windowMs, windowMs })
      : oracle.bucketFor(question, { maxPoints: resolution.points, windowMs });
  const wanted = oracle.buckets(question, grouping, { bucketMs, fill });
  const read = (page: PageRequest) =>
    query.listBuckets({
      ...page,
      ...requestOf(question),
      groupBy: groupByOf(grouping),
      resolution:
        resolution.kind === "bucket"
          ? { case: "bucket", value: durationOf(bucketMs) }
          : { case: "maxPoints", value: resolution.points },
      fill,
    });
  if (wanted.kind === "mixedUnits") return refusalDifferences(read({ pageSize: 0, pageToken: "" }));
  return pageDifferences(wanted.value, pages, async (page, want) => {
    const { bucket, buckets, coverage, nextPageToken } = await read(page);
    const total = want.reduce((sum, { row }) => sum + row.count, 0);
    const lines = [
      ...different("bucket", bucket ? Number(bucket.seconds) * 1000 + bucket.nanos / 1e6 : "unset", bucketMs),
      ...bucketDifferences(buckets, want),
      ...coverageDifferences(coverage, total),
    ];
    return { lines, nextPageToken };
  });
}

type PageRequest = { readonly pageSize: number; readonly pageToken: string };

/** The most rows of a page, by the contract. */
const pageRowsMax = 2500;

/** Reads all pages by their tokens and compares each with its share of what is wanted. */
async function pageDifferences<Wanted>(
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

/** Reads all pages forwards by their tokens, then all of them backwards. */
async function askReadings(
  { query, oracle }: Exam,
  question: Question,
  { newestFirst, pageSize }: Extract<CallPlan, { kind: "readings" }>,
): Promise<string[]> {
  const oldestFirst = oracle.readings(question);
  const wanted = newestFirst ? oldestFirst.reverse() : oldestFirst;
  const size = pageSize || 100;
  const pagesWanted = Math.max(Math.ceil(wanted.length / size), 1);
  const read = (pageToken: string): Promise<ListReadingsResponse> =>
    query.listReadings({
      ...requestOf(question),
      order: newestFirst ? Order.NEWEST_FIRST : Order.OLDEST_FIRST,
      pageSize,
      pageToken,
    });
  const check = (page: ListReadingsResponse, place: number, way: string): string[] => {
    const want = wanted.slice(place * size, (place + 1) * size);
    const at = `page ${place} ${way}`;
    return [
      ...readingDifferences(at, page, want),
      ...coverageDifferences(page.coverage, want.length).map((line) => `${at}: ${line}`),
      ...different(`${at}: has a next page`, `${page.nextPageToken !== ""}`, `${place < pagesWanted - 1}`),
      ...different(`${at}: has a previous page`, `${page.previousPageToken !== ""}`, `${place > 0}`),
    ];
  };

  let page = await read("");
  for (let place = 0; ; place++) {
    const lines = check(page, place, "forwards");
    if (lines.length > 0 || place === pagesWanted - 1) {
      if (lines.length > 0) return lines;
      break;
    }
    page = await read(page.nextPageToken);
  }
  for (let place = pagesWanted - 2; place >= 0; place--) {
    page = await read(page.previousPageToken);
    const lines = check(page, place, "backwards");
    if (lines.length > 0) return lines;
  }
  return [];
}

function readingDifferences(
  at: string,
  page: ListReadingsResponse,
  wanted: readonly DeviceMessage[],
): string[] {
  const got = page.readings.map(
    ({ deviceId, sensor, timestamp, value }) => `${deviceId}|${sensor}|${timeOf(timestamp)} = ${value}`,
  );
  const want = wanted.map(readingText);
  const first = want.findIndex((text, place) => text !== got[place]);
  return [
    ...different(`${at}: number of readings`, got.length, want.length),
    ...(first < 0
      ? []
      : different(`${at}: readings[${first}]`, got[first] ?? "nothing", want[first] ?? "nothing")),
  ];
}

/** A reading as text. */
export function readingText({ deviceId, sensor, timestampMs, value }: DeviceMessage): string {
  return `${deviceId}|${sensor}|${timeText(timestampMs)} = ${value}`;
}

async function refusalDifferences(call: Promise<unknown>): Promise<string[]> {
  try {
    await call;
    return ["got an answer, wanted INVALID_ARGUMENT because a group mixes units"];
  } catch (error) {
    const { code, message } = ConnectError.from(error);
    return code === Code.InvalidArgument && message.includes("group_by")
      ? []
      : [`got ${Code[code]} ${message}, wanted InvalidArgument on group_by because a group mixes units`];
  }
}

/** The bucket size, or a larger one of which the timeframe has few enough. */
function affordable(options: {
  readonly oracle: Oracle;
  readonly question: Question;
  readonly bucketMs: number;
  readonly windowMs: number;
}): number {
  const { oracle, question, bucketMs, windowMs } = options;
  return Math.max(bucketMs, oracle.bucketFor(question, { maxPoints: 1000, windowMs }));
}

function requestOf({ deviceIds, sensors, since, to }: Question) {
  // Made as a message once: it drops what is undefined.
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

function timestampOf({ ms, nanos }: Bound): { seconds: bigint; nanos: number } {
  const timestamp = protoTimestamp(ms);
  return { seconds: timestamp.seconds, nanos: timestamp.nanos + nanos };
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}

function groupByOf(grouping: OracleGrouping): GroupBy {
  return {
    series: GroupBy.SERIES,
    sensor: GroupBy.SENSOR,
    device: GroupBy.DEVICE,
    all: GroupBy.ALL,
  }[grouping];
}
