import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type AggregateRow, GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { query, serverNowMs } from "../../mesh/clients.ts";
import {
  bruteForce,
  type FigureSet,
  isSameAnswer,
  type RandomQuestion,
  type RawReading,
  randomQuestions,
} from "./brute-force.ts";

/** The result of the comparison. */
export type Proof = {
  readonly readings: number;
  readonly equal: number;
  readonly different: number;
  /** Queries whose readings changed during the comparison. */
  readonly moved: number;
};

const spanMs = 180_000;
const questionsMax = 50;
const pageSize = 1000;
/** Maximum number of readings in memory: the span is cut to the newest ones. */
const readingsMax = 20_000;
const atOnce = 5;

/**
 * Sends random queries over the readings of the last minutes and compares each answer with brute force over the raw
 * readings, which are read before and after: a query whose readings changed in between is left out.
 */
export async function askRandom(
  onProgress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Proof> {
  const toMs = serverNowMs();
  const before = await readRaw({ sinceMs: toMs - spanMs, toMs }, signal);
  const sinceMs = before.reduce((least, { atMs }) => Math.min(least, atMs), toMs);
  const span = { sinceMs, toMs };
  if (before.length === 0) return { readings: 0, equal: 0, different: 0, moved: 0 };
  const questions = randomQuestions(before, span, { count: questionsMax, random: Math.random });
  const answers: FigureSet[] = [];
  for (let start = 0; start < questions.length; start += atOnce) {
    const some = questions.slice(start, start + atOnce);
    answers.push(...(await Promise.all(some.map((question) => ask(question, signal)))));
    onProgress(answers.length, questions.length);
  }
  const after = await readRaw(span, signal);
  let [equal, different, moved] = [0, 0, 0];
  questions.forEach((question, index) => {
    const [first, last] = [bruteForce(before, question), bruteForce(after, question)];
    const answer = answers[index] ?? { count: -1 };
    if (isSameAnswer(answer, first) || isSameAnswer(answer, last)) equal++;
    else if (isSameAnswer(first, last)) different++;
    else moved++;
  });
  return { readings: before.length, equal, different, moved };
}

async function readRaw(
  { sinceMs, toMs }: { readonly sinceMs: number; readonly toMs: number },
  signal: AbortSignal,
): Promise<RawReading[]> {
  const found: RawReading[] = [];
  let pageToken = "";
  do {
    const page = await query.listReadings(
      { since: timestampFromMs(sinceMs), to: timestampFromMs(toMs), order: 2, pageSize, pageToken },
      { signal },
    );
    for (const { deviceId, sensor, timestamp, value } of page.readings)
      found.push({ deviceId, sensor, atMs: timestamp ? timestampMs(timestamp) : 0, value });
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && found.length < readingsMax);
  if (pageToken === "") return found;
  // The oldest timestamp that was read may be incomplete.
  const oldestMs = found.at(-1)?.atMs ?? 0;
  return found.filter(({ atMs }) => atMs > oldestMs);
}

async function ask(
  { deviceIds, sensor, sinceMs, toMs }: RandomQuestion,
  signal: AbortSignal,
): Promise<FigureSet> {
  const { rows } = await query.getAggregates(
    {
      deviceIds: [...deviceIds],
      sensors: [sensor],
      since: timestampFromMs(sinceMs),
      to: timestampFromMs(toMs),
      groupBy: GroupBy.SENSOR,
    },
    { signal },
  );
  return figuresOf(rows[0]);
}

function figuresOf(row: AggregateRow | undefined): FigureSet {
  if (!row) return { count: 0 };
  const { count, average, minimum, maximum, first, last } = row;
  return {
    count: Number(count),
    ...{ average, minimum, maximum },
    firstMs: first?.timestamp && timestampMs(first.timestamp),
    lastMs: last?.timestamp && timestampMs(last.timestamp),
  };
}
