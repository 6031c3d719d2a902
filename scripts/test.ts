// `npm test`: everything that needs only Node and npm: the checks, the unit tests, the contract suites and the
// end-to-end tests of the single process. `npm test -- --all` adds the tests that need other tools and the real
// engines. A pattern runs only the test files whose path contains it, without checks or installers. Every run ends with
// the line `N passed, N failed, N skipped`, which it also writes to .cache/test-summary.txt.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ensureConformance,
  ensureEnvoy,
  ensureExamplePython,
  ensureGatewayPython,
  ensureGrpcurl,
  ensureNpmPrograms,
  ensureRecipesPython,
  ensureTelegraf,
} from "@devicemesh/engines/testing/host-tools";
import { runChecks } from "./check.ts";
import { missingTools } from "./optional-tools.ts";
import { findTestFiles, type Project, projectOf, readTestArguments, testHelp } from "./test-arguments.ts";
import { runVitest, slowestFiles, sumOutcomes } from "./test-runs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = readTestArguments(process.argv.slice(2));
if (read.kind !== "run") {
  (read.kind === "help" ? process.stdout : process.stderr).write(
    `${read.kind === "help" ? testHelp : read.text}\n`,
  );
  process.exit(read.kind === "help" ? 0 : 2);
}
const { all, soak, lab, patterns } = read;
const isWhole = patterns.length === 0 && !soak && (all || !lab);
const files = findTestFiles(root, patterns);
const countOf = (project: Project): number => files.filter((file) => projectOf(file) === project).length;

// A pattern may also match tests that need tools: they start fast. Engines take a minute: only --all starts them.
function wantedProjects(): readonly Project[] {
  if (soak) return ["soak"];
  if (all) return ["unit", "tools", "engines", ...(lab ? (["lab"] as const) : [])];
  if (lab) return ["lab"];
  return isWhole ? ["unit"] : ["unit", "tools"];
}
/** Whether a pattern of vitest matches files of a project that runs. */
function isWanted(pattern: string): boolean {
  return wantedProjects().includes(projectOf(pattern));
}
const projects = wantedProjects().filter((project) => countOf(project) > 0);

mkdirSync(join(root, ".cache"), { recursive: true });
if (all && isWhole) {
  ensureGrpcurl();
  ensureConformance();
  ensureEnvoy();
  ensureExamplePython();
  ensureGatewayPython();
  ensureNpmPrograms();
  ensureTelegraf();
  ensureRecipesPython();
}
const missing = all && isWhole ? missingTools().filter(({ testFiles }) => testFiles.some(isWanted)) : [];
for (const { name, fix, testFiles } of missing) {
  console.log(`${name} is missing: ${testFiles.join(", ")} are SKIPPED. To run them, ${fix}.`);
}
// Compiled code of earlier versions of the tree would pile up.
if (isWhole) rmSync(join(root, ".cache/compile"), { recursive: true, force: true });
const checks = isWhole ? await runChecks({ nodeOnly: !all }) : { passed: 0, failed: 0, skipped: 0 };
// One project after the other: in parallel they would compete for two cores and distort each other's timing.
const runs = projects.map((project) => runVitest(root, project, patterns));
const tests = sumOutcomes(runs);

if (all && isWhole) console.log(slowestFiles(runs, 20));
if (projects.length === 0) console.log(nothingFound());
if (!all && isWhole) {
  console.log(
    `npm test -- --all adds ${countOf("tools")} test files that need other tools (Envoy, Go, Python, Chromium, Docker) and ${countOf("engines")} on Kafka, MongoDB and Spark.`,
  );
}
const failed = checks.failed + tests.failed + (projects.length === 0 ? 1 : 0);
// vitest does not collect files that a missing tool excludes: each of their patterns counts as one skipped test.
const skipped = checks.skipped + tests.skipped + missing.flatMap(({ testFiles }) => testFiles).length;
const summary = `${checks.passed + tests.passed} passed, ${failed} failed, ${skipped} skipped`;
writeFileSync(join(root, ".cache/test-summary.txt"), `${summary}\n`);
console.log(summary);
process.exit(failed === 0 ? 0 : 1);

function nothingFound(): string {
  const engineFiles = files.filter((file) => projectOf(file) === "engines");
  return engineFiles.length === 0
    ? `No test file matches ${patterns.join(" ")}.`
    : `Only tests on the real engines match ${patterns.join(" ")}: run npm test -- --all ${patterns.join(" ")}`;
}
