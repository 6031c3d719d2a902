import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { withFileLock } from "@devicemesh/engines/run/file-lock";
import { makeBaseImages } from "../../lab/images/base-images.ts";
import { createEngine, type Engine } from "../../lab/machine/engine.ts";
import { removeLeftovers } from "../../lab/machine/leftovers.ts";
import { inspectMachine } from "../../lab/machine/requirements.ts";
import { createShell, type Shell } from "../../lab/machine/shell.ts";
import { projectFolder } from "../../src/deploy/stack-files.ts";

/** Maximum run time of another lab on this machine. */
const lockLimitMs = 1_200_000;

/** For tests: a real Docker engine that builds and runs the project's images. */
export type ImageEngine = AsyncDisposable & {
  readonly engine: Engine;
  readonly shell: Shell;
  /** Builds stack/images/NAME.Dockerfile and resolves with the image's name. */
  build(name: string): Promise<string>;
};

/** For tests: the build engine of the lab, with its base images; its builds are kept. */
export async function startImageEngine(
  env: Readonly<Record<string, string | undefined>>,
): Promise<ImageEngine> {
  const machine = inspectMachine(env.PATH ?? "");
  if (machine.kind === "unfit") throw new Error(machine.problem);
  const { docker: client, builder } = machine.tools;
  const folder = join(homedir(), ".cache/devicemesh/stack-lab");
  mkdirSync(join(folder, "images"), { recursive: true });
  const release = await holdLock(join(folder, "lock"));
  await removeLeftovers(folder);
  const shell = createShell({ signal: new AbortController().signal, logFile: join(folder, "lab.log"), env });
  const engine = createEngine({ shell, client, folder, name: "build" });
  const close = async (): Promise<void> => {
    await removeLeftovers(folder);
    release();
  };
  try {
    await engine.start();
    const npm = (await shell.run(["sh", "-c", "command -v npm"])).trim();
    await makeBaseImages({
      ...{ shell, engine, builder, npm, project: projectFolder, node: process.execPath },
      folder: join(folder, "images"),
      report: (line) => process.stdout.write(`images: ${line}\n`),
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    engine,
    shell,
    async build(name) {
      const tag = `local.invalid/devicemesh/${name}:test`;
      await shell.run(
        [
          ...[builder, "build", "--quiet", "--network", "host", "--tag", tag],
          ...["--file", `stack/images/${name}.Dockerfile`],
          ...["--build-arg", "VERSION=1.2.3", "--build-arg", "REVISION=abc", "."],
        ],
        { cwd: projectFolder, env: { DOCKER_HOST: engine.host, DOCKER_BUILDKIT: "1" } },
      );
      return tag;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Takes the lab's lock, and returns its release. */
async function holdLock(file: string): Promise<() => void> {
  const held = Promise.withResolvers<() => void>();
  withFileLock(file, () => new Promise<void>((resolve) => held.resolve(resolve)), {
    limitMs: lockLimitMs,
  }).catch(held.reject);
  return await held.promise;
}
