// Installs the dependencies if they are missing or stale, so that `npm start` and `npm test` are one command each on a
// fresh clone. Runs on the host's own Node (20 or later), before Node 24 is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules", ".device-mesh-lock-hash");
const lockHash = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

const installed = existsSync(stampFile) && readFileSync(stampFile, "utf8") === lockHash;
if (!installed) {
  process.stderr.write("device-mesh: installing dependencies (npm ci) ...\n");
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (result.status !== 0) {
    process.stderr.write(
      "device-mesh: npm ci failed (its output is above). Check that the npm registry can be reached, then run the command again.\n",
    );
    process.exit(result.status ?? 1);
  }
  writeFileSync(stampFile, lockHash);
}
