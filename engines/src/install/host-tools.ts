import { spawnSync } from "node:child_process";
import { javaMajorMin } from "../limits.ts";

/** The tools that the engines need on the host. */
export type HostTool = "java" | "maven" | "python";

/** A tool that is missing, or too old. */
export type MissingTool = { readonly tool: HostTool; readonly problem: string; readonly remedy: string };

/** Returns the tools of this list that the host lacks, each with how to install it. */
export function missingTools(tools: readonly HostTool[]): MissingTool[] {
  return tools.flatMap((tool) => {
    const problem = checks[tool]();
    return problem === undefined ? [] : [{ tool, problem, remedy: remedies[tool] }];
  });
}

/** Formats the missing tools and how to install them, for users. */
export function missingText(missing: readonly MissingTool[]): string {
  return missing.map(({ problem, remedy }) => `${problem}: ${remedy}`).join("\n");
}

/** Returns the output of `java -version`, which goes to standard error, or undefined if there is no Java. */
export function javaVersionText(): string | undefined {
  const { status, stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  return status === 0 ? stderr : undefined;
}

/** Returns the major version in the output of `java -version`: 17 for 17.0.15, 8 for 1.8.0. */
export function javaMajor(text: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(text);
  return found ? Number(found[1]) : undefined;
}

/** Returns the path of the host's mongod, if it has one. */
export function hostMongod(): string | undefined {
  return spawnSync("mongod", ["--version"]).status === 0 ? "mongod" : undefined;
}

const checks: Readonly<Record<HostTool, () => string | undefined>> = {
  java() {
    const text = javaVersionText();
    if (text === undefined) return `Java ${javaMajorMin} or later is missing`;
    const major = javaMajor(text);
    return major === undefined || major < javaMajorMin
      ? `Java ${javaMajorMin} or later is needed, the host's is ${text.split("\n")[0]}`
      : undefined;
  },
  maven: () => (runs("mvn", ["--version"]) ? undefined : "Maven is missing"),
  python: () =>
    runs("python3", ["-c", "import venv, ensurepip"])
      ? undefined
      : "Python 3 with its venv module is missing",
};

const remedies: Readonly<Record<HostTool, string>> = {
  java: "apt-get install openjdk-17-jdk-headless, or brew install openjdk@17 and put it on the PATH",
  maven: "apt-get install maven, or brew install maven",
  python: "apt-get install python3-venv, or brew install python",
};

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0;
}
