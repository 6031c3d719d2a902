// `npm run check`: every check that does not run the mesh. Prints a line for each check and fails if one fails.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingTools } from "./optional-tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** One check: a name that states the rule, and the command that fails if it is broken. */
type Check = {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** A tool of the host that npm cannot install. */
  readonly needs?: "Envoy" | "Docker's client";
  /** Its output is printed also if it passes. */
  readonly prints?: boolean;
};

const checks: readonly Check[] = [
  { name: "vendored protos are unchanged", script: "scripts/vendored.ts", args: [] },
  { name: "generated code is fresh", script: "scripts/generate.ts", args: ["--check"] },
  { name: "the contract passes buf lint", script: "node_modules/@bufbuild/buf/bin/buf", args: ["lint"] },
  {
    name: "the contract is formatted",
    script: "node_modules/@bufbuild/buf/bin/buf",
    args: ["format", "--diff", "--exit-code", "--path", "proto/devicemesh"],
  },
  {
    name: "code is linted and formatted",
    script: "node_modules/@biomejs/biome/bin/biome",
    args: ["check", "--error-on-warnings", "."],
  },
  { name: "types hold", script: "node_modules/typescript/bin/tsc", args: ["-p", "."] },
  {
    name: "Envoy accepts envoy.yaml, without and with all its parts",
    script: "envoy/testing/check-envoy.ts",
    args: [],
    needs: "Envoy",
  },
  {
    name: "Docker takes the stack, and stack/config is fresh",
    script: "stack/src/main.ts",
    args: ["config", "--check"],
    needs: "Docker's client",
  },
  {
    name: "Docker takes the stack with its overlay for one machine",
    script: "stack/src/main.ts",
    args: ["config", "--check", "--single"],
    needs: "Docker's client",
  },
  { name: "licences of dependencies are accepted", script: "scripts/licenses.ts", args: [] },
  { name: "the English is plain", script: "scripts/vocabulary.ts", args: [] },
  { name: "documents name what exists", script: "scripts/doc-links.ts", args: [] },
  { name: "the tree is tidy", script: "scripts/tidy.ts", args: [], prints: true },
  {
    name: "a call runs through few files",
    script: "scripts/walk-length.ts",
    args: ["--check"],
    prints: true,
  },
];

/**
 * Runs the checks one by one and prints each outcome, with the output of those that fail and the reason of those that
 * are skipped. `nodeOnly` leaves out the checks that need a tool which npm cannot install.
 */
export function runChecks({ nodeOnly }: { readonly nodeOnly: boolean }): {
  passed: number;
  failed: number;
  skipped: number;
} {
  const missing = missingTools();
  const outcomes = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, script, args, needs, prints } of checks) {
    if (nodeOnly && needs !== undefined) continue;
    const lacking = missing.find((tool) => tool.name === needs);
    if (lacking) {
      console.log(`skip ${name}: ${lacking.name} is missing; ${lacking.fix}`);
      outcomes.skipped++;
      continue;
    }
    const startMs = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: root,
      encoding: "utf8",
    });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
    if (status !== 0 || prints) console.log(`${stdout}${stderr}`.trimEnd());
    outcomes[status === 0 ? "passed" : "failed"]++;
  }
  return outcomes;
}

if (import.meta.main) process.exit(runChecks({ nodeOnly: false }).failed === 0 ? 0 : 1);
