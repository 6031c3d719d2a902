import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { prepareQueryStore, storedSeries } from "../query/query-store.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { cpuMs, peakMemoryMib } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";

/** The options of a run. */
export type ExportBenchSettings = {
  readonly readings: number;
  readonly rounds: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** The measured formats. */
export const exportedFormats = ["csv", "arrow", "parquet"] as const;

/** The measurements of one download of all readings. */
export type ExportRun = {
  readonly format: (typeof exportedFormats)[number];
  /** From the request to the last byte. */
  readonly wallMs: number;
  /** Of the server, all its threads. */
  readonly cpuMs: number;
  readonly bytes: number;
};

/** The results. */
export type ExportResult = {
  readonly machine: MachineFacts;
  readonly readings: number;
  readonly runs: readonly ExportRun[];
  /** Peak memory of the server over all runs, in MiB. */
  readonly peakMib: number;
};

/** Downloads all readings of a store of the query bench, in each format, and checks the stated number of rows. */
export async function runExportBench({
  readings,
  rounds,
  cache,
  progress,
}: ExportBenchSettings): Promise<ExportResult> {
  const folder = await prepareQueryStore({ cache, readings, progress });
  const server = fileURLToPath(new URL("../servers/query-server.ts", import.meta.url));
  await using query = await startServerProcess({ command: process.execPath, args: [server, folder] });
  const rows = Math.ceil(readings / storedSeries) * storedSeries;
  const runs: ExportRun[] = [];
  // The first round loads code and pages, and does not count.
  for (let round = -1; round < rounds; round++) {
    for (const format of exportedFormats) {
      const cpuBefore = cpuMs(query.pid);
      const startedAt = performance.now();
      const bytes = await download(`http://127.0.0.1:${query.port}/v1/readings?format=${format}`, rows);
      const wallMs = performance.now() - startedAt;
      const run = { format, wallMs, cpuMs: cpuMs(query.pid) - cpuBefore, bytes };
      if (round < 0) continue;
      runs.push(run);
      progress(
        `${format}: ${rows} readings in ${Math.round(wallMs)} ms, ${run.cpuMs} ms of CPU, ${bytes} bytes`,
      );
    }
  }
  return { machine: machineFacts(Date.now()), readings: rows, runs, peakMib: peakMemoryMib(query.pid) };
}

/** Reads an export to its end; resolves to its bytes. @throws Error unless it states that number of rows. */
async function download(url: string, rows: number): Promise<number> {
  const [response] = (await once(get(url), "response")) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  const end = response.trailers["devicemesh-export-end"];
  const stated = (JSON.parse(end ?? "{}") as { rows?: number | string }).rows;
  if (response.statusCode !== 200 || Number(stated) !== rows)
    throw new Error(`${url} answered ${response.statusCode} with ${stated} rows instead of ${rows}`);
  return bytes;
}
