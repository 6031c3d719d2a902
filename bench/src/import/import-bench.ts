import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { startServerProcess } from "../servers/server-process.ts";

/** The options of a run. */
export type ImportBenchSettings = {
  /** Rows of the large file; the small one has a tenth. */
  readonly rows: number;
  readonly rounds: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** The shapes of the files: a column of values, or one column for each sensor with local times and another unit. */
export const importShapes = ["flat", "wide"] as const;

/** A shape. */
export type ImportShape = (typeof importShapes)[number];

/** The measurements of loading one file once. */
export type ImportRun = {
  readonly shape: ImportShape;
  readonly rows: number;
  readonly wallMs: number;
  /** Of the importing process, all its threads. */
  readonly cpuMs: number;
  readonly peakMib: number;
};

/** The results. */
export type ImportResult = { readonly machine: MachineFacts; readonly runs: readonly ImportRun[] };

const ownFile = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Loads files of two sizes and shapes into ingest over a new embedded store, each in separate processes. */
export async function runImportBench({
  rows,
  rounds,
  cache,
  progress,
}: ImportBenchSettings): Promise<ImportResult> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "import-"));
  const runs: ImportRun[] = [];
  try {
    for (const shape of importShapes) {
      for (const count of [rows / 10, rows]) {
        const file = join(folder, `${shape}-${count}.csv`);
        await writeRecording(file, shape, count);
        for (let round = 0; round < rounds; round++) {
          const run = await load(file, shape, count, join(folder, `${shape}-${count}-${round}`));
          runs.push(run);
          progress(
            `${shape}: ${count} rows in ${Math.round(run.wallMs)} ms, ${Math.round(run.cpuMs)} ms of CPU, ${Math.round(run.peakMib)} MiB`,
          );
        }
      }
    }
    return { machine: machineFacts(Date.now()), runs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(file: string, shape: ImportShape, rows: number, store: string): Promise<ImportRun> {
  await using server = await startServerProcess({
    command: process.execPath,
    args: [ownFile("../servers/ingest-server.ts"), store],
  });
  const flags = shape === "flat" ? [] : ["--zone", "Europe/Berlin", "--device", "bench"];
  const child = spawn(
    process.execPath,
    [ownFile("import-process.ts"), file, "--to", `127.0.0.1:${server.port}`, ...flags],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  await once(child, "close");
  const { code, wallMs, cpuMs, peakMib, output } = JSON.parse(text) as Record<string, number> & {
    output: string;
  };
  if (code !== 0) throw new Error(`the import ended with ${code}: ${output}`);
  return { shape, rows, wallMs: wallMs!, cpuMs: cpuMs!, peakMib: peakMib! };
}

async function writeRecording(file: string, shape: ImportShape, rows: number): Promise<void> {
  const stream = createWriteStream(file);
  let text = shape === "flat" ? "device_id,timestamp,sensor,value\n" : "time,temp_f,humidity\n";
  for (let row = 0; row < rows; row++) {
    const time = new Date(1_600_000_000_000 + row * 1000).toISOString();
    const value = (20 + (row % 997) / 100).toFixed(2);
    text +=
      shape === "flat"
        ? `device-${row % 500},${time},${row % 2 === 0 ? "temperature" : "humidity"},${value}\n`
        : `${time.slice(0, 19).replace("T", " ")},${value},${(40 + (row % 31) / 10).toFixed(1)}\n`;
    if (text.length > 1_000_000) {
      if (!stream.write(text)) await once(stream, "drain");
      text = "";
    }
  }
  stream.end(text);
  await finished(stream);
}
