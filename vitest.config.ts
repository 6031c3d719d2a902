import { defineConfig } from "vitest/config";
import { missingTools } from "./scripts/optional-tools.ts";

// Three rings: unit beside the source, contract suites run by each adapter, and the mesh in e2e/. What needs
// the real engines is in *.engine.test.ts, a project of its own: its set-up starts them, once for all files.
const files = ["*/src/**/*.test.ts", "scripts/**/*.test.ts"];
const engineFiles = "**/*.engine.test.ts";
const cannotRun = missingTools().flatMap(({ testFiles }) => testFiles);

export default defineConfig({
  test: {
    pool: "forks",
    // Two cores: more workers only make timing worse.
    maxWorkers: 2,
    // The engines stop in order, the last of them after the others: cut short, they would be left running.
    teardownTimeout: 120_000,
    projects: [
      {
        test: {
          name: "unit",
          include: files,
          exclude: ["**/node_modules/**", engineFiles, ...cannotRun],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "engines",
          include: [engineFiles],
          exclude: ["**/node_modules/**"],
          globalSetup: ["scripts/engine-setup.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
