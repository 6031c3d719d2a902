import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { sensors } from "@devicemesh/proto";
import { PeerMissing, type PeerOptions, type StorePeer } from "../peer.ts";
import { diskBytes, startPeerProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import { findProgram, mavenJar } from "./install.ts";
import { linesOf, request } from "./line-protocol.ts";

const version = "9.3.4";

/** Files grow by these steps. The defaults of 16 MiB are for tables of many gigabytes; most of a file would be empty. */
const pageSizes = [
  ["cairo.writer.data.append.page.size", "1M"],
  ["cairo.wal.writer.data.append.page.size", "256K"],
  ["cairo.system.writer.data.append.page.size", "64K"],
] as const;

/** QuestDB with its HTTP interface only. */
export async function startQuestdb(options: PeerOptions): Promise<StorePeer> {
  const { folder } = options;
  const java = findProgram("java");
  if (!java) throw new PeerMissing("java 17 or later, for QuestDB");
  const jar = await mavenJar("org.questdb", "questdb", version, options);
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  await mkdir(join(folder, "conf"), { recursive: true });
  await writeFile(
    join(folder, "conf", "server.conf"),
    [
      `http.bind.to=${new URL(url).host}`,
      "http.min.enabled=false",
      "pg.enabled=false",
      "line.tcp.enabled=false",
      "line.udp.enabled=false",
      "telemetry.enabled=false",
      "cairo.commit.mode=sync",
      ...pageSizes.map(([name, size]) => `${name}=${size}`),
      "",
    ].join("\n"),
  );
  await writeFile(join(folder, "conf", "log.conf"), "writers=\n");
  const server = await startPeerProcess({
    command: java,
    args: ["-Xmx1g", "-XX:+UseParallelGC", "-p", jar, "-m", "io.questdb/io.questdb.ServerMain", "-d", folder],
    ready: async () => (await query(url, "select 1")).length === 1,
  });
  for (const { sensor } of sensors) {
    await query(
      url,
      `CREATE TABLE ${sensor} (device SYMBOL, value DOUBLE, timestamp TIMESTAMP) TIMESTAMP(timestamp) PARTITION BY DAY WAL DEDUP UPSERT KEYS(timestamp, device)`,
    );
  }
  return {
    version: `QuestDB ${version}`,
    settings:
      "cairo.commit.mode=sync; tables with DEDUP UPSERT KEYS(timestamp, device); files grow by 1 MiB; a heap of 1 GiB; bytes are those of the newest partitions, without the write-ahead log",
    durable: true,
    batchSize: 10_000,
    async send(readings) {
      await request(`${url}/write?precision=ms`, { body: linesOf(readings) });
    },
    settle: () => untilApplied(url),
    ask: (question) => ask(url, question),
    cpuMs: server.cpuMs,
    memoryMib: server.memoryMib,
    async diskBytes() {
      const tables = (await query(url, "SELECT directoryName FROM tables()")).map(([name]) => String(name));
      const ours = tables.filter((name) => sensors.some(({ sensor }) => name.startsWith(`${sensor}~`)));
      if (ours.length !== sensors.length) throw new Error(`QuestDB has the folders ${tables.join(", ")}`);
      const partitions = ours.flatMap((name) => newestPartitions(join(folder, "db", name)));
      const sizes = await Promise.all(partitions.map(diskBytes));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/**
 * The newest version of each partition of a table: a write of late rows makes a new version, and QuestDB removes the
 * older ones and its write-ahead log later.
 */
function newestPartitions(table: string): string[] {
  const versions = readdirSync(table).filter((name) => /^\d{4}-\d\d-\d\d/.test(name));
  const byDay = Map.groupBy(versions, (name) => name.split(".")[0]);
  const versionOf = (name: string): number => Number(name.split(".")[1] ?? 0);
  return [...byDay.values()].map((names) =>
    join(
      table,
      names.reduce((newest, name) => (versionOf(name) > versionOf(newest) ? name : newest)),
    ),
  );
}

type Row = readonly (number | string | boolean | null)[];

async function query(url: string, text: string): Promise<readonly Row[]> {
  const answer = await request(`${url}/exec?${new URLSearchParams({ query: text })}`);
  return (JSON.parse(answer) as { dataset?: Row[] }).dataset ?? [];
}

/** Waits until every committed transaction of the write-ahead logs is in the tables. */
async function untilApplied(url: string): Promise<void> {
  for (;;) {
    const waiting = await query(url, "SELECT name FROM wal_tables() WHERE writerTxn < sequencerTxn");
    if (waiting.length === 0) return;
    await delay(100);
  }
}

async function ask(url: string, { sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
  const device = deviceId === undefined ? "" : ` AND device = '${deviceId}'`;
  const [row] = await query(
    url,
    `SELECT count(), avg(value), min(value), max(value) FROM ${sensor} WHERE timestamp >= ${sinceMs}000 AND timestamp < ${toMs}000${device}`,
  );
  const [count, average, minimum, maximum] = row as readonly number[];
  return count === 0
    ? { count: 0 }
    : { count: count!, average: average!, minimum: minimum!, maximum: maximum! };
}
