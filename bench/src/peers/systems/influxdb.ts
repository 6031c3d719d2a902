import { spawnSync } from "node:child_process";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { PeerMissing, type PeerOptions, type StorePeer } from "../peer.ts";
import { diskBytes, startPeerProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import { findProgram } from "./install.ts";
import { linesOf, request } from "./line-protocol.ts";

/** InfluxDB 1, as Debian packages it. */
export async function startInfluxdb({ folder }: PeerOptions): Promise<StorePeer> {
  const command = findProgram("influxd");
  if (!command) throw new PeerMissing("influxd (Debian: apt-get install influxdb)");
  const [httpPort, rpcPort] = await freePorts(2);
  const url = `http://127.0.0.1:${httpPort}`;
  const server = await startPeerProcess({
    command,
    args: ["run"],
    env: {
      ...process.env,
      INFLUXDB_REPORTING_DISABLED: "true",
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${rpcPort}`,
      INFLUXDB_META_DIR: `${folder}/meta`,
      INFLUXDB_DATA_DIR: `${folder}/data`,
      INFLUXDB_DATA_WAL_DIR: `${folder}/wal`,
      INFLUXDB_DATA_INDEX_VERSION: "tsi1",
      INFLUXDB_DATA_QUERY_LOG_ENABLED: "false",
      INFLUXDB_HTTP_BIND_ADDRESS: new URL(url).host,
      INFLUXDB_HTTP_LOG_ENABLED: "false",
      INFLUXDB_MONITOR_STORE_ENABLED: "false",
      INFLUXDB_LOGGING_LEVEL: "error",
    },
    ready: async () => (await request(`${url}/ping`)) === "",
  });
  await request(`${url}/query?${new URLSearchParams({ q: "CREATE DATABASE bench" })}`, { body: "" });
  const { stdout } = spawnSync(command, ["version"], { encoding: "utf8" });
  return {
    version: stdout.trim().split(" ").slice(0, 2).join(" "),
    settings:
      "index tsi1, no logs of queries and requests, no self-monitoring; the write-ahead log syncs each request (default)",
    durable: true,
    batchSize: 10_000,
    async send(readings) {
      await request(`${url}/write?db=bench&precision=ms`, { body: linesOf(readings) });
    },
    async settle() {},
    ask: (question) => ask(url, question),
    cpuMs: server.cpuMs,
    memoryMib: server.memoryMib,
    diskBytes: () => diskBytes(folder),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function ask(url: string, { sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
  const device = deviceId === undefined ? "" : ` AND device = '${deviceId}'`;
  const query = new URLSearchParams({
    db: "bench",
    epoch: "ms",
    q: `SELECT COUNT(value), MEAN(value), MIN(value), MAX(value) FROM ${sensor} WHERE time >= ${sinceMs}ms AND time < ${toMs}ms${device}`,
  });
  const { results } = JSON.parse(await request(`${url}/query?${query}`)) as {
    results: { error?: string; series?: { values: number[][] }[] }[];
  };
  const [result] = results;
  if (result?.error !== undefined) throw new Error(result.error);
  const row = result?.series?.[0]?.values[0];
  if (!row) return { count: 0 };
  const [, count, average, minimum, maximum] = row;
  return { count: count!, average: average!, minimum: minimum!, maximum: maximum! };
}
