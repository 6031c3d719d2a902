import { ConnectError } from "@connectrpc/connect";
import { millisecondsFloor } from "@devicemesh/proto";
import type { ExportEnd } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type Exam, groupByOf, refusalDifferences, requestOf } from "./asking.ts";
import { bucketDifferences, coverageDifferences, different } from "./differences.ts";
import type { Question } from "./oracle.ts";
import { fixedOracleGrid } from "./oracle-buckets.ts";
import type { CallPlan } from "./questions.ts";
import { readingText } from "./reading-text.ts";

/** Number of retries of an export whose horizon is before the query, 100 ms apart. */
const attemptsMax = 600;

/** Requests exports of the readings and of the buckets of a query; see `ask`. */
export async function askExports(
  exam: Exam,
  question: Question,
  { grouping, windows }: Extract<CallPlan, { kind: "exports" }>,
): Promise<string[]> {
  const { query, oracle, windowMs, askedMs = 0 } = exam;
  const readings = await settled(askedMs, () =>
    collect(query.exportReadings(requestOf(question)), ({ readings }) => readings),
  );
  const wanted = oracle.readings(question).map(readingText);
  const got = readings.rows.map(({ deviceId, sensor, timestamp, value }) =>
    readingText({
      deviceId,
      sensor,
      timestampMs: timestamp ? millisecondsFloor(timestamp) : Number.NaN,
      value,
    }),
  );
  const first = wanted.findIndex((text, place) => text !== got[place]);
  const lines = [
    ...different("exported readings", got.length, wanted.length),
    ...(first < 0 ? [] : different(`export[${first}]`, got[first] ?? "nothing", wanted[first] ?? "nothing")),
    ...different("end.rows", Number(readings.end?.rows), wanted.length),
    ...coverageDifferences(readings.end?.coverage, wanted.length),
  ];
  if (lines.length > 0) return lines;

  const bucketMs = windows * windowMs;
  const read = () =>
    collect(
      query.exportBuckets({
        ...requestOf(question),
        groupBy: groupByOf(grouping),
        bucket: { seconds: BigInt(bucketMs / 1000) },
      }),
      ({ buckets }) => buckets,
    );
  const buckets = oracle.buckets(question, grouping, { grid: fixedOracleGrid(bucketMs), fill: "none" });
  if (buckets.kind === "mixedUnits") return refusalDifferences(read());
  const ordered = buckets.value.toSorted((a, b) => a.startMs - b.startMs);
  const { rows, end } = await settled(askedMs, read);
  return [
    ...bucketDifferences(rows, ordered),
    ...different("end.rows", Number(end?.rows), ordered.length),
    ...coverageDifferences(
      end?.coverage,
      ordered.reduce((sum, { row }) => sum + row.count, 0),
    ),
  ];
}

type Collected<Row> = { readonly rows: readonly Row[]; readonly end: ExportEnd | undefined };

async function collect<Message extends { readonly end?: ExportEnd | undefined }, Row>(
  messages: AsyncIterable<Message>,
  rowsOf: (message: Message) => readonly Row[],
): Promise<Collected<Row>> {
  const rows: Row[] = [];
  let end: ExportEnd | undefined;
  for await (const message of messages) {
    rows.push(...rowsOf(message));
    end = message.end;
  }
  return { rows, end };
}

/** Returns the first export whose horizon is after the query, so that it has everything published before. */
async function settled<Row>(askedMs: number, read: () => Promise<Collected<Row>>): Promise<Collected<Row>> {
  for (let attempts = 1; ; attempts++) {
    const collected = await read();
    const completeThrough = collected.end?.coverage?.completeThrough;
    if (completeThrough && millisecondsFloor(completeThrough) >= askedMs) return collected;
    if (attempts === attemptsMax) throw new ConnectError("the horizon stands still");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
