// DuckDB alone, in a process of its own: one table of readings, without the log, the windows and the checks of Device Mesh.
// Its parent sends requests over the IPC channel, one answer each, in order.
import { DuckDBInstance, DuckDBTimestampMillisecondsValue, version } from "@duckdb/node-api";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import type { BenchReading } from "../readings.ts";
import type { DuckdbAnswer, DuckdbRequest } from "./duckdb-alone.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: duckdb-process.ts FILE");
const instance = await DuckDBInstance.create(file, { memory_limit: "2GB" });
const connection = await instance.connect();
await connection.run(
  `CREATE TABLE readings (
     device VARCHAR, sensor VARCHAR, time TIMESTAMP_MS, value DOUBLE, PRIMARY KEY (device, sensor, time))`,
);
await connection.run(
  "CREATE TEMP TABLE arriving (device VARCHAR, sensor VARCHAR, time TIMESTAMP_MS, value DOUBLE)",
);

const figures = "SELECT count(*)::DOUBLE, avg(value), min(value), max(value) FROM readings";
const period =
  "sensor = $1 AND time >= make_timestamp_ms($2::BIGINT) AND time < make_timestamp_ms($3::BIGINT)";
const statements = {
  one: await connection.prepare(`${figures} WHERE ${period} AND device = $4`),
  all: await connection.prepare(`${figures} WHERE ${period}`),
};

let last: Promise<unknown> = Promise.resolve();
process.on("message", (request: DuckdbRequest) => {
  last = last
    .then(() => answer(request))
    .catch((error: unknown): DuckdbAnswer => ({ kind: "failed", text: String(error) }))
    .then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());
process.send?.({ kind: "ready", version: version() } satisfies DuckdbAnswer);

async function answer(request: DuckdbRequest): Promise<DuckdbAnswer> {
  switch (request.kind) {
    case "send":
      await insert(request.readings);
      return { kind: "done" };
    case "settle":
      await connection.run("CHECKPOINT");
      return { kind: "done" };
    case "ask":
      return { kind: "answer", answer: await ask(request.question) };
  }
}

/** One transaction a request, committed to disk, without the readings that the table has. */
async function insert(readings: readonly BenchReading[]): Promise<void> {
  await connection.run("BEGIN");
  const appender = await connection.createAppender("arriving");
  for (const { deviceId, sensor, timestampMs, value } of readings) {
    appender.appendVarchar(deviceId);
    appender.appendVarchar(sensor);
    appender.appendTimestampMilliseconds(new DuckDBTimestampMillisecondsValue(BigInt(timestampMs)));
    appender.appendDouble(value);
    appender.endRow();
  }
  appender.closeSync();
  await connection.run("INSERT OR IGNORE INTO readings SELECT DISTINCT * FROM arriving");
  await connection.run("DELETE FROM arriving");
  await connection.run("COMMIT");
}

async function ask({ sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
  const statement = deviceId === undefined ? statements.all : statements.one;
  statement.bindVarchar(1, sensor);
  statement.bindBigInt(2, BigInt(sinceMs));
  statement.bindBigInt(3, BigInt(toMs));
  if (deviceId !== undefined) statement.bindVarchar(4, deviceId);
  const [row] = (await statement.runAndReadAll()).getRows() as [number[]];
  const [count, average, minimum, maximum] = row;
  return count === 0
    ? { count: 0 }
    : { count: count!, average: average!, minimum: minimum!, maximum: maximum! };
}
