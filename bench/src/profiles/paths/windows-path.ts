import { join } from "node:path";
import { pollUntil } from "../../mesh/poll-until.ts";
import { openWindowsGround } from "../../windows/windows-ground.ts";
import type { ProfiledTree } from "../before-tree.ts";
import { startFlightRecorder } from "../profilers/flight-recorder.ts";
import type { ProfiledWork } from "../profilers/profiled-server.ts";
import { threadTimes } from "../profilers/thread-times.ts";
import type { PathRunSettings } from "./profiled-path.ts";
import { runWindowJobOf } from "./window-job-process.ts";

/** Numbers of readings in the log before a job starts: multiples of 4000. */
export type WindowsPathSettings = {
  readonly backlogReadings: number;
  /** The job counts as cold until it has folded so many; it is profiled after that. */
  readonly coldReadings: number;
  /** It is profiled for so many at least, also if that takes longer than the other paths. */
  readonly profiledReadings: number;
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
  { backlogReadings, coldReadings, profiledReadings }: WindowsPathSettings,
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
  let batches = 0;
  const isEndOfBatch = (): boolean => {
    const isNew = job.batches.length > batches;
    batches = job.batches.length;
    return isNew;
  };
  await until("the job is warm", () => job.rows >= coldReadings);
  const recording = await startFlightRecorder(ground.sparkPid, join(folder, `windows-${tree.commit}.jfr`));
  // The batches so far do not count.
  isEndOfBatch();
  // From the end of a batch to that of another one, before the last ones, which may be small.
  await until("the job has folded a batch under the recorder", isEndOfBatch);
  const since = threadTimes(ground.sparkPid);
  const startMs = performance.now();
  const rowsBefore = job.rows;
  await until("the job has folded more batches", () => {
    if (!isEndOfBatch()) return false;
    if (job.rows >= backlogReadings * 0.8) return true;
    return performance.now() - startMs >= ms && job.rows - rowsBefore >= profiledReadings;
  });
  const units = job.rows - rowsBefore;
  return { profile: await recording.stop(since), units };
}
