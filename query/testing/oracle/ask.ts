import type { DeviceMessage } from "@devicemesh/proto";
import { type ListReadingsResponse, Order } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { askBuckets } from "./ask-buckets.ts";
import { askExports } from "./ask-exports.ts";
import {
  type Exam,
  groupByOf,
  type PageRequest,
  pageDifferences,
  refusalDifferences,
  requestOf,
  weightingOf,
} from "./asking.ts";
import { coverageDifferences, different, rowDifferences, timeOf } from "./differences.ts";
import type { Question } from "./oracle.ts";
import type { CallPlan } from "./questions.ts";
import { readingText } from "./reading-text.ts";

/** Sends one query and returns the differences from the oracle, one on each line; none if there are none. */
export function ask(exam: Exam, question: Question, call: CallPlan): Promise<string[]> {
  switch (call.kind) {
    case "aggregates":
      return askAggregates(exam, question, call);
    case "buckets":
      return askBuckets(exam, question, call);
    case "readings":
      return askReadings(exam, question, call);
    case "exports":
      return askExports(exam, question, call);
  }
}

async function askAggregates(
  { query, oracle }: Exam,
  question: Question,
  { grouping, pages, quantiles = [], maxHoldMs }: Extract<CallPlan, { kind: "aggregates" }>,
): Promise<string[]> {
  const wanted = oracle.aggregates({ ...question, maxHoldMs }, grouping);
  const read = (page: PageRequest) =>
    query.getAggregates({
      ...requestOf(question),
      groupBy: groupByOf(grouping),
      quantiles: [...quantiles],
      ...weightingOf(maxHoldMs),
      ...page,
    });
  if (wanted.kind === "mixedUnits") return refusalDifferences(read({ pageSize: 0, pageToken: "" }));
  return pageDifferences(wanted.value, pages, async (page, want) => {
    const { rows, coverage, nextPageToken } = await read(page);
    const total = want.reduce((sum, { count }) => sum + count, 0);
    const lines = [
      ...rowDifferences(rows, want),
      ...coverageDifferences(coverage, total),
      ...rows.flatMap((row) => different("number of quantiles", row.quantiles.length, quantiles.length)),
    ];
    return { lines, nextPageToken };
  });
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
