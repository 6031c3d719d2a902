import { resolve } from "node:path";
import type { Report } from "../report/report.ts";
import type { BenchConfig } from "../settings.ts";
import { runWindowsBench } from "./windows-bench.ts";
import { windowsReport } from "./windows-report.ts";

/** Runs the bench, or a smoke run of it. Throws what `runWindowsBench` throws. */
export async function runWindows(
  { quick, cache }: BenchConfig,
  control: { readonly progress: (line: string) => void; readonly signal: AbortSignal },
): Promise<Report> {
  const sizes = quick
    ? { backlogReadings: 400_000, coldReadings: 100_000, liveMs: 6000 }
    : { backlogReadings: 3_000_000, coldReadings: 600_000, liveMs: 60_000 };
  const result = await runWindowsBench({
    ...sizes,
    liveReadingsPerSecond: 20_000,
    cache: resolve(cache),
    ...control,
  });
  return windowsReport(result);
}
