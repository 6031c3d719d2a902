import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ingestUnits, measureUnitLatency, readingsPerUnit } from "../kafka/unit-latency.ts";
import { pollUntil } from "../mesh/poll-until.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import type { LivePart } from "./live-part.ts";
import { type BatchSum, splitAtRows, sumOf } from "./observed-batches.ts";
import { openWindowsGround } from "./windows-ground.ts";

/** The size of a run. */
export type WindowsBenchSettings = {
  /** Readings in the log before the job starts; a multiple of 4000. */
  readonly backlogReadings: number;
  /** The job counts as cold until it has folded so many of them. */
  readonly coldReadings: number;
  /** Duration of the part with ticks alone and of the live part, in ms. */
  readonly liveMs: number;
  readonly liveReadingsPerSecond: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The results. */
export type WindowsResult = {
  readonly kind: "windows";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly partitions: number;
  /** All readings of the run; the partials count exactly these. */
  readonly readings: number;
  /** From the start of the job, in a Spark that had done nothing, until its first batch was done. */
  readonly firstBatchSeconds: number;
  readonly cold: BatchSum;
  readonly warm: BatchSum;
  /** With ticks alone. */
  readonly rest: LivePart;
  readonly liveReadingsPerSecond: number;
  readonly live: LivePart;
};

/** Time limit of a step, in ms. */
const limitMs = 300_000;
/** The job is always behind by the last ticks. */
const ticksLagMax = 40;

/**
 * Measures the window job alone: one broker, Spark, ticks and ingest, without sinks and database.
 * @throws Error if the partials do not count exactly the readings, if the job dropped one, or if a step takes too long.
 */
export async function runWindowsBench(settings: WindowsBenchSettings): Promise<WindowsResult> {
  const { backlogReadings, coldReadings, liveMs, liveReadingsPerSecond, progress, signal } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(settings.cache, "windows");
  await using ground = await openWindowsGround({ folder, progress, signal });
  await ground.append(backlogReadings);
  progress(`${backlogReadings.toLocaleString("en-US")} readings wait in the log`);

  const startMs = Date.now();
  const startCpuMs = ground.sparkCpuMs();
  const job = await ground.startJob();
  const untilAll = (what: string) =>
    pollUntil({
      what,
      limitMs,
      everyMs: 100,
      signal,
      poll: async () => ((await ground.lag()) <= ticksLagMax ? true : undefined),
    });
  await untilAll("the job has taken the backlog");
  const [cold, others] = splitAtRows(job.batches, coldReadings);
  const [warm] = splitAtRows(others, (backlogReadings - coldReadings) * 0.8);
  const firstBatchSeconds = ((job.batches[0]?.seenAtMs ?? Number.NaN) - startMs) / 1000;
  progress(`the job has taken them; its first batch was done after ${firstBatchSeconds.toFixed(1)} s`);

  const rest = await ground.observe(() => delay(liveMs, undefined, { signal }));
  progress(`${liveReadingsPerSecond.toLocaleString("en-US")} readings a second ...`);
  let sent = 0;
  const live = await ground.observe(async () => {
    const startSeconds = Math.floor(Date.now() / 1000) - 30 * 86_400;
    await using units = ingestUnits(ground.port, startSeconds);
    const rate = { readingsPerSecond: liveReadingsPerSecond, ms: liveMs };
    sent = (await measureUnitLatency(units, rate)).length * readingsPerUnit;
  });
  await untilAll("the job has taken all readings");
  const readings = backlogReadings + sent;
  await ground.expectCounted(readings);
  const result: WindowsResult = {
    kind: "windows",
    machine: machineFacts(Date.now()),
    load: machineLoad.stop(),
    partitions: ground.partitions,
    readings,
    firstBatchSeconds,
    cold: sumOf(cold, startCpuMs),
    warm: sumOf(warm, cold.at(-1)?.sparkCpuMs ?? startCpuMs),
    rest,
    liveReadingsPerSecond,
    live,
  };
  await ground[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  return result;
}
