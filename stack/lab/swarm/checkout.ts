import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { imageFiles, withoutDigests } from "../../src/digests/image-references.ts";
import type { LabTools } from "../machine/requirements.ts";
import type { Shell } from "../machine/shell.ts";

/**
 * A copy of the project in which the lab runs the commands of stack/README.md, so that the user's files do not change.
 */
export type LabCheckout = {
  readonly folder: string;
  /** The folder of its `docker`, for a PATH. */
  readonly bin: string;
  /**
   * Runs a command in the copy, with a `docker` that builds on the build engine and deploys on a manager.
   * @throws Error with the end of its output if it fails.
   */
  run(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
};

/** Copies the project's files that git tracks or would add, and links to its node_modules. */
export async function makeCheckout(options: {
  readonly shell: Shell;
  readonly tools: LabTools;
  readonly project: string;
  readonly folder: string;
  /** DOCKER_HOST of the engine that builds, and of a manager of the Swarm. */
  readonly buildHost: string;
  readonly managerHost: string;
  readonly path: string;
}): Promise<LabCheckout> {
  const { shell, tools, project, buildHost, managerHost } = options;
  const folder = join(options.folder, "checkout");
  const bin = join(options.folder, "bin");
  rmSync(folder, { recursive: true, force: true });
  const list = await shell.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: project,
  });
  for (const file of list.trim().split("\n")) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(project, file), join(folder, file), { force: true });
  }
  // The lab's images have the names of the real ones, and other digests.
  for (const file of imageFiles(folder)) {
    const text = readFileSync(join(folder, file), "utf8");
    const tagged = withoutDigests(text);
    if (tagged !== text) writeFileSync(join(folder, file), tagged);
  }
  symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
  mkdirSync(bin, { recursive: true });
  // The build engine has no bridge: its containers are in this machine's network, which the registries are reached by.
  // With DMLAB_LOAD, the one node gets what was built, as if it had built it.
  const script = `#!/bin/sh
if [ "$1" = build ]; then
  shift
  DOCKER_HOST=${buildHost} DOCKER_BUILDKIT=1 ${tools.builder} build --network host "$@" || exit
  [ -n "$DMLAB_LOAD" ] || exit 0
  while [ $# -gt 0 ]; do
    [ "$1" != --tag ] || DOCKER_HOST=${buildHost} ${tools.docker} save "$2" | DOCKER_HOST=${managerHost} ${tools.docker} load --quiet
    shift
  done
  exit 0
fi
DOCKER_HOST=${managerHost} exec ${tools.docker} "$@"
`;
  writeFileSync(join(bin, "docker"), script, { mode: 0o755 });
  return {
    folder,
    bin,
    run: (command, env = {}) =>
      shell.run(command, { cwd: folder, env: { PATH: `${bin}:${options.path}`, ...env } }),
  };
}
