import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { missingTools } from "./scripts/optional-tools.ts";

// Projects, by what a test file needs:
//   *.test.ts         Node and npm alone
//   *.tools.test.ts   tools of the host as well: Envoy, grpcurl, Go, Python, Chromium, Docker's client, ...
//   *.engine.test.ts  the real engines; the project's set-up starts them once for all files
//   *.lab.test.ts     the engine of Docker: builds images, deploys the stack
//   *.soak.test.ts    the real engines for many minutes: acceptance runs, not part of CI
const toolsFiles = "**/*.tools.test.ts";
const engineFiles = "**/*.engine.test.ts";
const labFiles = "**/*.lab.test.ts";
const soakFiles = "**/*.soak.test.ts";
// Packages, and the worktrees of the profiles bench.
const notOurs = ["**/node_modules/**", ".cache/**"];

// Workers, and the processes that tests start, keep the compiled form of what they import: a start of the single process
// then takes 0.9 s of CPU time instead of 1.4 s, and the tests have some hundred starts.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, ".cache/compile");

export default defineConfig({
  test: {
    pool: "forks",
    // The machines of this project have two cores: more workers only distort the timing.
    maxWorkers: 2,
    // The engines stop in order, one after the other; cut short, they would be left running.
    teardownTimeout: 120_000,
    projects: [
      {
        test: {
          name: "unit",
          include: ["*/src/**/*.test.ts", "*/testing/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: [...notOurs, toolsFiles, engineFiles, labFiles, soakFiles],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Many of these tests wait for timers or for processes that start: a third worker uses the time. No test
          // asserts an absolute time.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "tools",
          include: [toolsFiles],
          exclude: [...notOurs, ...missingTools().flatMap(({ testFiles }) => testFiles)],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "engines",
          include: [engineFiles],
          exclude: notOurs,
          globalSetup: ["scripts/engine-setup.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "lab",
          include: [labFiles],
          exclude: [...notOurs, ...missingTools().flatMap(({ testFiles }) => testFiles)],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          name: "soak",
          include: [soakFiles],
          exclude: notOurs,
          globalSetup: ["scripts/engine-setup.ts"],
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
