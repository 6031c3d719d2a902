import { ensureBuilt } from "./build.ts";

// A stale build is better than no start: the cause is printed, and the start continues.
try {
  await ensureBuilt({ onBuild: () => process.stderr.write("device-mesh: building the dashboard ...\n") });
} catch (error) {
  process.stderr.write(`device-mesh: the dashboard cannot be built: ${String(error)}\n`);
  process.exitCode = process.argv.includes("--optional") ? 0 : 1;
}
