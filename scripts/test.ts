// `npm test`: the checks, then the unit, contract and e2e tests, then those on the real engines. Ends with
// one line `N passed, N failed, N skipped`, which it also leaves in .cache/test-summary.txt.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecks } from "./check.ts";
import { missingTools } from "./optional-tools.ts";
import { ensureConformance, ensureEnvoy, ensureExamplePython, ensureGrpcurl } from "./tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const reportFile = join(root, ".cache/vitest.json");

type Outcome = {
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** Runs the tests of one project; its set-up runs only if it has a file that the filters let through. */
function runVitest(project: "unit" | "engines", filters: readonly string[]): Outcome {
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
      ...filters,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (!existsSync(reportFile)) return { files: 0, passed: 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    testResults: readonly unknown[];
  };
  return {
    files: report.testResults.length,
    passed: report.numPassedTests,
    // A file that cannot be loaded fails the run without a failed test of its own.
    failed: report.numFailedTests || (status === 0 ? 0 : 1),
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

mkdirSync(join(root, ".cache"), { recursive: true });
ensureGrpcurl();
ensureConformance();
ensureEnvoy();
ensureExamplePython();
const filters = process.argv.slice(2);
const missing = missingTools();
for (const { name, fix, testFiles } of missing) {
  console.log(`there is no ${name}: ${testFiles.join(", ")} are SKIPPED; ${fix}`);
}
const checks = runChecks();
// One after the other: the engines and the unit tests would only take the two cores from each other.
const runs = [runVitest("unit", filters), runVitest("engines", filters)];
const sum = (key: keyof Outcome): number => runs.reduce((total, run) => total + run[key], 0);
const noneFound = sum("files") === 0 && sum("failed") === 0;
if (noneFound) console.log(`no test file matches ${filters.join(" ")}`);
const failed = checks.failed + sum("failed") + (noneFound ? 1 : 0);
// What is left out is not collected: each pattern counts once.
const skipped = checks.skipped + sum("skipped") + missing.flatMap(({ testFiles }) => testFiles).length;
const summary = `${checks.passed + sum("passed")} passed, ${failed} failed, ${skipped} skipped`;
writeFileSync(join(root, ".cache/test-summary.txt"), `${summary}\n`);
console.log(summary);
process.exit(failed === 0 ? 0 : 1);
