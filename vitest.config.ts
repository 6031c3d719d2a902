import { defineConfig } from "vitest/config";

// Three rings: unit beside the source, contract suites run by each adapter, and the mesh in e2e/.
export default defineConfig({
  test: {
    include: ["*/src/**/*.test.ts", "scripts/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make timing worse.
    maxWorkers: 2,
    pool: "forks",
  },
});
