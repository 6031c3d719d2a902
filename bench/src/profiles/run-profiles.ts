import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "../report/report.ts";
import { type BenchConfig, defaultBefore } from "../settings.ts";
import { hashOf } from "./before-tree.ts";
import { pathNames, runProfilesBench } from "./profiles-bench.ts";
import { profilesReport } from "./profiles-report.ts";

/** Runs the profiles bench with the settings of `npm run bench`; a quick run profiles no earlier commit by default. */
export async function runProfiles(
  config: BenchConfig,
  running: { readonly progress: (line: string) => void; readonly signal: AbortSignal },
): Promise<Report> {
  const { quick, readings } = config;
  const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
  const before = await earlierCommit(root, config);
  if (before === undefined) running.progress("no earlier commit is profiled");
  return profilesReport(
    await runProfilesBench({
      ...running,
      paths: pathNames,
      root,
      before,
      ms: quick ? 2000 : 15_000,
      warmUpMs: quick ? 1000 : 5000,
      windows: quick
        ? { backlogReadings: 800_000, coldReadings: 100_000, profiledReadings: 200_000 }
        : { backlogReadings: 3_600_000, coldReadings: 1_200_000, profiledReadings: 600_000 },
      readings: quick ? Math.min(readings, 100_000) : readings,
      cache: resolve(config.cache),
    }),
  );
}

/** The commit that is profiled too, if any. A repository without its history does not have the default one. */
export async function earlierCommit(
  root: string,
  { before, quick }: Pick<BenchConfig, "before" | "quick">,
): Promise<string | undefined> {
  if (before === "none") return undefined;
  const isNeeded = before !== defaultBefore || (!quick && (await hashOf(root, before)) !== undefined);
  return isNeeded ? before : undefined;
}
