// Tools of the host that some checks and test files need and npm cannot install. `npm test -- --all` leaves out the
// tests of a missing tool, prints a notice and counts them as skipped; CI counts a skip as a failure and has all tools.
import { spawnSync } from "node:child_process";
import { findBrowserTools, findDocker } from "@devicemesh/engines/testing/host-tools";
import { inspectMachine } from "../stack/lab/machine/requirements.ts";

/** A tool that may be missing, and the test files that need it. */
type OptionalTool = {
  readonly name: string;
  /** How to install it, as a clause. */
  readonly fix: string;
  readonly isThere: () => boolean;
  /** Test files, as vitest's patterns. */
  readonly testFiles: readonly string[];
};

const tools: readonly OptionalTool[] = [
  {
    name: "Docker's client",
    fix: "install Docker 26 or later; its engine need not run (Debian: docker-cli)",
    isThere: () => findDocker() !== undefined,
    testFiles: [
      "stack/src/deploy/stack-*.tools.test.ts",
      "stack/src/deploy/deploy*.tools.test.ts",
      "stack/src/deploy/docker.tools.test.ts",
      "stack/testing/lab/lab-overlay.tools.test.ts",
    ],
  },
  {
    name: "Docker's engine",
    fix: "run the tests as root on Linux with Docker's engine (Debian: docker.io iptables debootstrap)",
    isThere: () => inspectMachine(process.env.PATH ?? "").kind === "fit",
    testFiles: ["stack/src/images/*.lab.test.ts", "stack/testing/lab/*.lab.test.ts"],
  },
  {
    name: "Chromium with certutil",
    fix: "install both (Debian: chromium libnss3-tools)",
    isThere: () => findBrowserTools() !== undefined,
    testFiles: ["e2e/src/examples/browser*.tools.test.ts", "e2e/src/web/*.tools.test.ts"],
  },
  {
    name: "permission to mount a file system",
    fix: "run the tests as root on Linux",
    isThere: () => process.platform === "linux" && spawnSync("unshare", ["--mount", "true"]).status === 0,
    testFiles: ["*/src/**/*full-disk.tools.test.ts"],
  },
  {
    name: "a C compiler",
    fix: "install gcc on Linux (Debian: gcc libc6-dev)",
    isThere: () => process.platform === "linux" && spawnSync("gcc", ["--version"]).status === 0,
    testFiles: ["store-duckdb/src/power-loss.tools.test.ts"],
  },
];

/** Returns the tools that this machine lacks. */
export function missingTools(): readonly OptionalTool[] {
  return tools.filter(({ isThere }) => !isThere());
}
