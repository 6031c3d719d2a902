import { rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { currentTree, earlierTree, type ProfiledTree } from "./before-tree.ts";
import { createAnswersPath } from "./paths/answers-path.ts";
import { profileEmbeddedPath } from "./paths/embedded-path.ts";
import { profileKafkaPath } from "./paths/kafka-path.ts";
import type { ProfilePath } from "./paths/profiled-path.ts";
import { createWindowsPath, type WindowsPathSettings } from "./paths/windows-path.ts";
import type { ProfiledWork } from "./profilers/profiled-server.ts";

/** The profiled paths, in the order of the report. */
export const pathNames = ["kafka", "windows", "answers", "embedded"] as const;
export type PathName = (typeof pathNames)[number];

/** The options of a run. */
export type ProfilesBenchSettings = {
  readonly paths: readonly PathName[];
  /** Absolute: the root of the current tree. */
  readonly root: string;
  /** An earlier commit that is profiled too. */
  readonly before: string | undefined;
  readonly ms: number;
  readonly warmUpMs: number;
  readonly windows: WindowsPathSettings;
  /** Stored readings, over which the answers are. */
  readonly readings: number;
  /** Absolute. */
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The work of one tree on one path. */
export type ProfiledRun = ProfiledWork & {
  /** The full hash; "" outside of a repository. */
  readonly commit: string;
};

/** The results. */
export type ProfilesResult = {
  readonly kind: "profiles";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly readings: number;
  readonly paths: readonly {
    readonly name: PathName;
    readonly now: ProfiledRun;
    readonly before: ProfiledRun | undefined;
  }[];
};

/** Runs each path of each tree under a profiler, one after the other. @throws Error for an unknown commit. */
export async function runProfilesBench(settings: ProfilesBenchSettings): Promise<ProfilesResult> {
  const { root, before, ms, warmUpMs, cache, readings, progress, signal } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(cache, "profiles");
  await mkdir(folder, { recursive: true });
  const current = await currentTree(root);
  const earlier = before === undefined ? undefined : await earlierTree({ current, commit: before, folder });
  const trees: ProfiledTree[] = earlier ? [earlier, current] : [current];
  const run: Readonly<Record<PathName, ProfilePath>> = {
    kafka: profileKafkaPath,
    windows: createWindowsPath(settings.windows),
    answers: createAnswersPath(readings),
    embedded: profileEmbeddedPath,
  };
  const paths: ProfilesResult["paths"][number][] = [];
  for (const name of settings.paths) {
    progress(`${name} ...`);
    const runsFolder = join(folder, name);
    rmSync(runsFolder, { recursive: true, force: true });
    await mkdir(runsFolder, { recursive: true });
    const works = await run[name]({ trees, ms, warmUpMs, folder: runsFolder, cache, progress, signal });
    const runs = works.map((work, index): ProfiledRun => ({ ...work, commit: trees[index]?.commit ?? "" }));
    for (const { commit, units, profile } of runs)
      progress(
        `${name}, ${commit.slice(0, 8)}: ${((profile.cpuMs * 1000) / units).toPrecision(3)} µs of CPU`,
      );
    const now = runs.at(-1);
    if (!now) throw new Error(`the path ${name} has no run`);
    paths.push({ name, now, before: runs.length > 1 ? runs[0] : undefined });
  }
  const machine = machineFacts(Date.now());
  return { kind: "profiles", machine, load: machineLoad.stop(), readings, paths };
}
