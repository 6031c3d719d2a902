import { resolve } from "node:path";
import type { Report } from "../report/report.ts";
import type { BenchConfig } from "../settings.ts";
import { runLateBench } from "./late-bench.ts";
import { lateReport } from "./late-report.ts";

/** Runs the bench, or a smoke run of it. Throws what `runLateBench` throws. */
export async function runLate(
  { quick, cache }: BenchConfig,
  control: { readonly progress: (line: string) => void; readonly signal: AbortSignal },
): Promise<Report> {
  const sizes = quick
    ? { readings: 20_000, warmUpReadings: 20_000, questions: 5 }
    : { readings: 200_000, warmUpReadings: 50_000, questions: 30 };
  return lateReport(await runLateBench({ ...sizes, cache: resolve(cache), env: process.env, ...control }));
}
