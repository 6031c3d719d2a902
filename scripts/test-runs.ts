// Runs vitest and reads its report.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import type { Project } from "./test-arguments.ts";

/** The result of a run of one project. */
export type Outcome = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The duration of each test file's tests and hooks, in seconds. */
  readonly files: readonly { readonly path: string; readonly seconds: number }[];
};

type VitestReport = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
};

/** Runs the tests of one project whose file paths contain one of the patterns; all of them without patterns. */
export function runVitest(root: string, project: Project, patterns: readonly string[]): Outcome {
  const reportFile = join(root, ".cache/vitest.json");
  rmSync(reportFile, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      `--project=${project}`,
      "--passWithNoTests",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...patterns,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (!existsSync(reportFile)) return { passed: 0, failed: status === 0 ? 0 : 1, skipped: 0, files: [] };
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as VitestReport;
  return {
    passed: report.numPassedTests,
    // A file that cannot be loaded fails the run without a failed test.
    failed: report.numFailedTests || (status === 0 ? 0 : 1),
    skipped: report.numPendingTests + report.numTodoTests,
    files: report.testResults.map(({ name, startTime, endTime }) => ({
      path: relative(root, name),
      seconds: (endTime - startTime) / 1000,
    })),
  };
}

/** Returns the sum of several results. */
export function sumOutcomes(runs: readonly Outcome[]): Outcome {
  return {
    passed: runs.reduce((sum, { passed }) => sum + passed, 0),
    failed: runs.reduce((sum, { failed }) => sum + failed, 0),
    skipped: runs.reduce((sum, { skipped }) => sum + skipped, 0),
    files: runs.flatMap(({ files }) => files),
  };
}

/** Formats a table of the slowest files, the slowest first. */
export function slowestFiles(runs: readonly Outcome[], most: number): string {
  const slowest = runs
    .flatMap(({ files }) => files)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, most);
  const rows = slowest.map(({ path, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${path}`);
  return [`The ${slowest.length} slowest test files:`, ...rows].join("\n");
}
