// `npm run check`: every check that does not run the mesh. Prints a line for each check and fails if one fails.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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

/** The checks that take longest begin first, or one core would wait for the last of them. */
const longest = ["scripts/generate.ts", "node_modules/typescript/bin/tsc", "scripts/walk-length.ts"];

type Result = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
};

/**
 * Runs the checks, one on each core, and prints each outcome in the order of the list, with the output of those that
 * fail and the reason of those that are skipped. `nodeOnly` leaves out the checks that need a tool which npm cannot
 * install.
 */
export async function runChecks({ nodeOnly }: { readonly nodeOnly: boolean }): Promise<{
  passed: number;
  failed: number;
  skipped: number;
}> {
  const missing = missingTools();
  const lackingOf = ({ needs }: Check) => missing.find((tool) => tool.name === needs);
  const wanted = checks.filter(({ needs }) => !nodeOnly || needs === undefined);
  const results = runAll(wanted.filter((check) => lackingOf(check) === undefined));
  const outcomes = { passed: 0, failed: 0, skipped: 0 };
  for (const check of wanted) {
    const lacking = lackingOf(check);
    if (lacking) {
      console.log(`skip ${check.name}: ${lacking.name} is missing; ${lacking.fix}`);
      outcomes.skipped++;
      continue;
    }
    const { status, stdout, stderr, seconds } = (await results.get(check)) as Result;
    console.log(`${status === 0 ? "ok  " : "FAIL"} ${check.name} (${seconds.toFixed(1)} s)`);
    // Libraries print warnings on standard error, which concern only a check that fails.
    if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd());
    else if (check.prints) console.log(stdout.trimEnd());
    outcomes[status === 0 ? "passed" : "failed"]++;
  }
  return outcomes;
}

/** Starts the checks, at most one on each core at a time, and returns the results to come. */
function runAll(wanted: readonly Check[]): ReadonlyMap<Check, Promise<Result>> {
  const queue = wanted
    .toSorted((a, b) => Number(longest.includes(b.script)) - Number(longest.includes(a.script)))
    .map((check) => ({ check, ...Promise.withResolvers<Result>() }));
  const results = new Map(queue.map(({ check, promise }) => [check, promise]));
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      await run(next.check).then(next.resolve, next.reject);
    }
  };
  for (let core = 0; core < availableParallelism(); core++) void work();
  return results;
}

async function run({ script, args }: Check): Promise<Result> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr, seconds: (performance.now() - startMs) / 1000 };
}

if (import.meta.main) process.exit((await runChecks({ nodeOnly: false })).failed === 0 ? 0 : 1);
