import { join } from "node:path";
import { pollUntil } from "../../mesh/poll-until.ts";
import { openWindowsGround } from "../../windows/windows-ground.ts";
import type { ProfiledTree } from "../before-tree.ts";
import { startFlightRecorder } from "../profilers/flight-recorder.ts";
import type { ProfiledWork } from "../profilers/profiled-server.ts";
import type { PathRunSettings } from "./profiled-path.ts";
import { runWindowJobOf } from "./window-job-process.ts";

/** Numbers of readings in the log before a job starts: multiples of 4000. */
export type WindowsPathSettings = {
  readonly backlogReadings: number;
  /** The job counts as cold until it has folded so many; it is profiled after that. */
  readonly coldReadings: number;
};

/** Time limit of a step, in ms. */
const limitMs = 400_000;

/** The window job on Spark while it folds a backlog: for each tree in a Spark of its own. */
export function createWindowsPath(
  sizes: WindowsPathSettings,
): (settings: PathRunSettings) => Promise<readonly ProfiledWork[]> {
  return async (settings) => {
    const works: ProfiledWork[] = [];
    for (const tree of settings.trees) works.push(await profileJob(tree, sizes, settings));
    return works;
  };
}

async function profileJob(
  tree: ProfiledTree,
  { backlogReadings, coldReadings }: WindowsPathSettings,
  { folder, ms, progress, signal }: PathRunSettings,
): Promise<ProfiledWork> {
  await using ground = await openWindowsGround({
    folder: join(folder, "windows"),
    runJob: (place) => runWindowJobOf(tree, place),
    progress,
    signal,
  });
  await ground.append(backlogReadings);
  const job = await ground.startJob();
  const until = (what: string, isSo: () => boolean): Promise<true> =>
    pollUntil({ what, limitMs, everyMs: 50, signal, poll: async () => isSo() || undefined });
  await until("the job is warm", () => job.rows >= coldReadings);
  const recorder = await startFlightRecorder(ground.sparkPid, join(folder, `windows-${tree.commit}.jfr`));
  const startMs = performance.now();
  const rowsBefore = job.rows;
  let batches = job.batches.length;
  // It ends with a batch, and before the last ones, which may be small.
  await until("the job has folded more batches", () => {
    const isEndOfBatch = job.batches.length > batches;
    batches = job.batches.length;
    return isEndOfBatch && (performance.now() - startMs >= ms || job.rows >= backlogReadings * 0.8);
  });
  const units = job.rows - rowsBefore;
  return { profile: await recorder.stop(), units };
}
