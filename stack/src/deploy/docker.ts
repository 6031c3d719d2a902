import { spawnSync } from "node:child_process";
import { projectFolder } from "./stack-files.ts";

/** A command of Docker failed; the message names the solution. */
export class DockerError extends Error {
  override readonly name = "DockerError";
}

/** Docker's command line, run in the project's folder. */
export type Docker = {
  /**
   * Runs a command and returns its output.
   * @throws DockerError with its error output.
   */
  read(args: readonly string[]): string;
  /**
   * Runs a command whose output goes to the terminal; with `dryRun` prints the command instead.
   * @throws DockerError if it fails.
   */
  run(args: readonly string[]): void;
};

/** Returns Docker with these additional variables in its environment. */
export function createDocker(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  readonly report: (line: string) => void;
}): Docker {
  const { variables, dryRun, report } = options;
  const env = { ...options.env, ...variables };
  return {
    read(args) {
      const { status, stdout, stderr, error } = spawnSync("docker", args, {
        cwd: projectFolder,
        env,
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      });
      if (error) throw notThere(error);
      if (status !== 0) throw new DockerError(explain(args, stderr));
      return stdout;
    },
    run(args) {
      if (dryRun) {
        report(`docker ${args.map(quoted).join(" ")}`);
        return;
      }
      const { status, stderr, error } = spawnSync("docker", args, {
        cwd: projectFolder,
        env,
        encoding: "utf8",
        stdio: ["inherit", "inherit", "pipe"],
      });
      if (error) throw notThere(error);
      if (status !== 0) throw new DockerError(explain(args, stderr));
    },
  };
}

function notThere(error: Error): DockerError {
  return new DockerError(
    (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "docker is not on the PATH: install Docker (on Debian the client alone is `apt-get install docker-cli`, or docker.io)"
      : error.message,
  );
}

const fixes: readonly (readonly [RegExp, string])[] = [
  [
    /unknown (shorthand )?flag|is not a docker command/i,
    "this client of Docker is too old for `docker stack config` or `docker stack deploy --detach`: take 26 or later",
  ],
  [
    /not a swarm manager/i,
    "this node is in no Swarm, or no manager of one: run `docker swarm init`, or go to a manager",
  ],
  [
    /cannot connect to the docker daemon|docker daemon is not running|no such file or directory.*docker\.sock/i,
    "no Docker engine runs here, or this user may not use it: start it, or set DOCKER_HOST",
  ],
  [
    /only updates to Labels are allowed/i,
    "a config or secret of this name is in use with another content: deploy with `npm run stack:deploy`, which names them by content",
  ],
];

function explain(args: readonly string[], printed: string): string {
  const fix = fixes.find(([pattern]) => pattern.test(printed))?.[1];
  const what = `docker ${args.slice(0, 2).join(" ")} failed`;
  return [fix === undefined ? what : `${what}: ${fix}`, printed.trim()]
    .filter((text) => text !== "")
    .join("\n");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
