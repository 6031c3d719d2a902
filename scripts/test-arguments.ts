// Parses the command line of `npm test`, and finds the test files.
import { globSync } from "node:fs";

/**
 * The requirement of a test file: Node alone, other tools of the host, the real engines (for many minutes), or Docker's
 * engine.
 */
export type Project = "unit" | "tools" | "engines" | "lab" | "soak";

export const testHelp = `npm test                     checks and all tests that need only Node and npm
npm test -- PATTERN ...      only the test files whose path contains a pattern; no checks
npm test -- --all            also what needs other tools (Envoy, Go, Python, Chromium, Docker) and the real engines
npm test -- --all PATTERN    only the files that match, those on the real engines included
npm test -- --lab            only the images and the stack on engines of Docker (as root on Linux)
npm test -- --all --lab      everything but the acceptance runs
npm test -- --soak           only the acceptance runs on the real engines, which take long: every kind of process
                             killed in turn, twice; parts that hang; networks that are cut`;

type TestArguments =
  | {
      readonly kind: "run";
      readonly all: boolean;
      readonly soak: boolean;
      readonly lab: boolean;
      readonly patterns: readonly string[];
    }
  | { readonly kind: "help" }
  | { readonly kind: "error"; readonly text: string };

/** Parses the arguments after `npm test --`. */
export function readTestArguments(args: readonly string[]): TestArguments {
  if (args.includes("--help") || args.includes("-h")) return { kind: "help" };
  const unknown = args.find((arg) => arg.startsWith("-") && !switches.includes(arg));
  if (unknown !== undefined)
    return { kind: "error", text: `npm test does not know ${unknown}\n\n${testHelp}` };
  return {
    kind: "run",
    all: args.includes("--all"),
    soak: args.includes("--soak"),
    lab: args.includes("--lab"),
    patterns: args.filter((arg) => !switches.includes(arg)),
  };
}

const switches = ["--all", "--lab", "--soak"];

/** Returns the project that runs a test file, by the file's name. */
export function projectOf(file: string): Project {
  if (file.endsWith(".engine.test.ts")) return "engines";
  if (file.endsWith(".lab.test.ts")) return "lab";
  if (file.endsWith(".soak.test.ts")) return "soak";
  return file.endsWith(".tools.test.ts") ? "tools" : "unit";
}

/** Returns the test files of the tree whose path contains one of the patterns; all of them without patterns. */
export function findTestFiles(root: string, patterns: readonly string[]): readonly string[] {
  return globSync(["*/src/**/*.test.ts", "*/testing/**/*.test.ts", "scripts/**/*.test.ts"], { cwd: root })
    .filter((file) => !file.includes("node_modules"))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
}
