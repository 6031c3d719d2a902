// Tools of the host that some checks and tests need and no npm command can install. Where one is missing, what needs
// it is left out, and said and counted as skipped: `npm test` passes on a machine that has none of them, and CI, where
// what is skipped counts as failed, must have them all.
import { findBrowserTools, findDocker } from "./tools.ts";

/** A tool that may be missing, and what cannot be shown without it. */
type OptionalTool = {
  readonly name: string;
  /** What to do to have it. */
  readonly fix: string;
  readonly isThere: () => boolean;
  /** Test files, as vitest's patterns. */
  readonly testFiles: readonly string[];
  /** Names of checks of `npm run check` begin so. */
  readonly checks: string | undefined;
};

const tools: readonly OptionalTool[] = [
  {
    name: "Docker's client",
    fix: "install Docker 26 or later; its engine need not run (Debian: docker-cli)",
    isThere: () => findDocker() !== undefined,
    testFiles: ["stack/src/stack-*.test.ts", "stack/src/deploy*.test.ts", "stack/src/docker.test.ts"],
    checks: "Docker ",
  },
  {
    name: "Chromium with certutil",
    fix: "install both (Debian: chromium libnss3-tools)",
    isThere: () => findBrowserTools() !== undefined,
    testFiles: ["e2e/src/examples/browser.test.ts", "e2e/src/examples/browser-mesh-page.test.ts"],
    checks: undefined,
  },
];

/** The tools that this machine lacks. */
export function missingTools(): readonly OptionalTool[] {
  return tools.filter(({ isThere }) => !isThere());
}
