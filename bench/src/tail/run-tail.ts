import { resolve } from "node:path";
import type { Report } from "../report/report.ts";
import type { BenchConfig } from "../settings.ts";
import { runTailBench } from "./tail-bench.ts";
import { tailReport } from "./tail-report.ts";

/** Runs the bench, or a smoke run of it. Throws what `runTailBench` throws. */
export async function runTail(
  { quick, cache }: BenchConfig,
  control: { readonly progress: (line: string) => void; readonly signal: AbortSignal },
): Promise<Report> {
  const sizes = quick
    ? { devices: 50, tailSeconds: 120, liveMs: 5000 }
    : { devices: 1000, tailSeconds: 600, liveMs: 60_000 };
  return tailReport(await runTailBench({ ...sizes, cache: resolve(cache), ...control }));
}
