// `npm test`: the checks, then the unit, contract and e2e tests. Ends with one line
// `N passed, N failed, N skipped`, which it also leaves in .cache/test-summary.txt.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecks } from "./check.ts";
import { ensureConformance, ensureEnvoy, ensureGrpcurl } from "./tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const reportFile = join(root, ".cache/vitest.json");

type Outcome = { passed: number; failed: number; skipped: number };

function runVitest(filters: readonly string[]): Outcome {
  rmSync(reportFile, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...filters,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (!existsSync(reportFile)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
  };
  // A file that cannot be loaded fails the run without a failed test of its own.
  const failed = report.numFailedTests || (status === 0 ? 0 : 1);
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests };
}

mkdirSync(join(root, ".cache"), { recursive: true });
ensureGrpcurl();
ensureConformance();
ensureEnvoy();
const checks = runChecks();
const tests = runVitest(process.argv.slice(2));
const summary = `${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed, ${tests.skipped} skipped`;
writeFileSync(join(root, ".cache/test-summary.txt"), `${summary}\n`);
console.log(summary);
process.exit(checks.failed + tests.failed === 0 ? 0 : 1);
