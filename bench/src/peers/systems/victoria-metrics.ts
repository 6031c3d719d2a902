import { setTimeout as delay } from "node:timers/promises";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import type { PeerOptions, StorePeer } from "../peer.ts";
import { diskBytes, startPeerProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import { goProgram } from "./install.ts";
import { linesOf, request } from "./line-protocol.ts";

const version = "v1.136.23";

/** VictoriaMetrics, a single node. */
export async function startVictoriaMetrics(options: PeerOptions): Promise<StorePeer> {
  const { folder } = options;
  const command = await goProgram(
    "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
    version,
    options,
  );
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await startPeerProcess({
    command,
    args: [
      `-httpListenAddr=${new URL(url).host}`,
      `-storageDataPath=${folder}`,
      "-retentionPeriod=100y",
      "-dedup.minScrapeInterval=1ms",
      "-inmemoryDataFlushInterval=1s",
      "-loggerLevel=ERROR",
    ],
    ready: async () => (await request(`${url}/health`)) === "OK",
  });
  return {
    version: `VictoriaMetrics ${version}`,
    settings:
      "-dedup.minScrapeInterval=1ms, so that duplicates count once; -inmemoryDataFlushInterval=1s, the shortest time until data is on disk",
    durable: false,
    batchSize: 10_000,
    async send(readings) {
      await request(`${url}/write?precision=ms`, { body: linesOf(readings) });
    },
    async settle() {
      await request(`${url}/internal/force_flush`);
      while (!(await isOnDisk(url))) await delay(200);
    },
    ask: (question) => ask(url, question),
    cpuMs: server.cpuMs,
    memoryMib: server.memoryMib,
    diskBytes: () => diskBytes(folder),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Whether no readings are in parts that exist in memory only. */
async function isOnDisk(url: string): Promise<boolean> {
  const rows = (await request(`${url}/metrics`)).matchAll(/^vm_rows\{type="storage\/inmemory"\} (\d+)/gm);
  const counts = [...rows].map(([, count]) => Number(count));
  if (counts.length === 0) throw new Error("VictoriaMetrics does not report its rows in memory");
  return counts.every((count) => count === 0);
}

/** A range in MetricsQL excludes its start and includes its end: `[since, to)` in ms is `(since - 1, to - 1]`. */
async function ask(url: string, { sensor, deviceId, sinceMs, toMs }: PeerQuestion): Promise<PeerAnswer> {
  const selector = deviceId === undefined ? "" : `{device="${deviceId}"}`;
  const range = `${sensor}_value${selector}[${toMs - sinceMs}ms]`;
  const figures = {
    count: `sum(count_over_time(${range}))`,
    sum: `sum(sum_over_time(${range}))`,
    minimum: `min(min_over_time(${range}))`,
    maximum: `max(max_over_time(${range}))`,
  };
  const parts = Object.entries(figures).map(([name, text]) => `label_set(${text}, "figure", "${name}")`);
  const query = new URLSearchParams({
    query: `union(${parts.join(", ")})`,
    time: String((toMs - 1) / 1000),
    nocache: "1",
  });
  const { data } = JSON.parse(await request(`${url}/api/v1/query?${query}`)) as {
    data: { result: { metric: { figure: keyof typeof figures }; value: [number, string] }[] };
  };
  const found = new Map(data.result.map(({ metric, value }) => [metric.figure, Number(value[1])]));
  const count = found.get("count") ?? 0;
  if (count === 0) return { count };
  return {
    count,
    average: found.get("sum")! / count,
    minimum: found.get("minimum")!,
    maximum: found.get("maximum")!,
  };
}
