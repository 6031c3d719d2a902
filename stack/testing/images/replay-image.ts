import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { type BaseImage, substituteBaseImage } from "./base-images.ts";
import { type BuildContext, openBuildContext } from "./build-context.ts";
import { readDockerfile, type Stage, type Step } from "./dockerfile.ts";
import { runInSandbox } from "./sandbox.ts";
import { copyInto, makeSystem, userOf } from "./stage-files.ts";

/** What a replay came to: the files of the image, and how it is run. */
export type ReplayedImage = {
  /** The image's own files; what the base image brings is not among them. */
  readonly root: string;
  readonly base: BaseImage;
  readonly environment: Readonly<Record<string, string>>;
  readonly workFolder: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
};

/** Of the host: how RUN steps reach the network, and where caches are kept. */
export type ReplayHost = {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The host folder for a `--mount=type=cache`. */
  readonly cacheFolder: (target: string) => string;
};

type Built = Omit<ReplayedImage, "root"> & {
  readonly root: string;
  readonly variables: ReadonlyMap<string, string>;
};

/**
 * Does what `docker build` would do with a Dockerfile, without Docker: each stage is a folder, each RUN runs with
 * that folder as its root, and the host's programs stand in for base images, which `say` is told.
 * @throws Error naming the step that failed, with its output.
 */
export async function replayImage(options: {
  readonly dockerfile: string;
  readonly contextFolder: string;
  /** An empty folder for the stages. */
  readonly folder: string;
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly host: ReplayHost;
  readonly say: (line: string) => void;
}): Promise<ReplayedImage> {
  const { dockerfile, contextFolder, folder, buildArguments = {}, host, say } = options;
  const context = openBuildContext(contextFolder);
  const built = new Map<string, Built>();
  let image: Built | undefined;
  for (const [index, stage] of readDockerfile(readFileSync(dockerfile, "utf8")).entries()) {
    const root = join(folder, stage.name ?? String(index));
    image = startStage(stage, root, built.get(stage.base), host, say);
    for (const step of stage.steps) {
      try {
        image = await takeStep(step, image, { context, built, buildArguments, host });
      } catch (error) {
        throw new Error(`${basename(dockerfile)}, stage ${stage.name ?? index}: ${(error as Error).message}`);
      }
    }
    built.set(stage.name ?? String(index), image);
  }
  if (image === undefined) throw new Error(`${basename(dockerfile)} has no FROM`);
  return image;
}

function startStage(
  { base: image }: Stage,
  root: string,
  earlier: Built | undefined,
  { path }: ReplayHost,
  say: (line: string) => void,
): Built {
  mkdirSync(root, { recursive: true });
  if (earlier) {
    execFileSync("cp", ["-a", `${earlier.root}/.`, root]);
    return { ...earlier, root, variables: new Map() };
  }
  const base = substituteBaseImage(image, path);
  say(`for ${image}: ${base.substitute}`);
  makeSystem(root, base);
  return {
    root,
    base,
    environment: base.environment,
    workFolder: "/",
    user: { uid: 0, gid: 0 },
    entrypoint: [],
    command: [],
    labels: new Map(),
    variables: new Map(),
  };
}

async function takeStep(
  step: Step,
  image: Built,
  build: {
    readonly context: BuildContext;
    readonly built: ReadonlyMap<string, Built>;
    readonly buildArguments: Readonly<Record<string, string>>;
    readonly host: ReplayHost;
  },
): Promise<Built> {
  const expand = (text: string): string =>
    text.replaceAll(/\$\{(\w+)\}|\$(\w+)/g, (_, inBraces: string, bare: string) => {
      const name = inBraces ?? bare;
      const value = image.environment[name] ?? image.variables.get(name);
      if (value === undefined) throw new Error(`nothing says what ${name} is`);
      return value;
    });
  const expandAll = (values: ReadonlyMap<string, string>): [string, string][] =>
    [...values].map(([name, value]) => [name, expand(value)]);

  switch (step.kind) {
    case "arg": {
      const value = build.buildArguments[step.name] ?? step.value;
      return value === undefined
        ? image
        : { ...image, variables: new Map([...image.variables, [step.name, value]]) };
    }
    case "env":
      return {
        ...image,
        environment: { ...image.environment, ...Object.fromEntries(expandAll(step.values)) },
      };
    case "label":
      return { ...image, labels: new Map([...image.labels, ...expandAll(step.values)]) };
    case "workdir": {
      const workFolder = posix.resolve(image.workFolder, expand(step.path));
      mkdirSync(join(image.root, workFolder), { recursive: true });
      return { ...image, workFolder };
    }
    case "user":
      return { ...image, user: userOf(image.root, step.user) };
    case "entrypoint":
      // A CMD of the base image was for its own entry point.
      return { ...image, entrypoint: step.command, command: [] };
    case "cmd":
      return { ...image, command: step.command };
    case "copy":
      copyInto(image, step, build);
      return image;
    case "run":
      await runStep(image, step, build.host);
      return image;
  }
}

async function runStep(
  image: Built,
  { command, caches }: Extract<Step, { kind: "run" }>,
  host: ReplayHost,
): Promise<void> {
  const { root, base, workFolder, user } = image;
  const { exitCode, output } = await runInSandbox({
    root,
    base,
    workFolder,
    user,
    command: ["/bin/sh", "-c", command],
    environment: {
      HOME: "/root",
      ...host.environment,
      ...Object.fromEntries(image.variables),
      ...image.environment,
    },
    shared: Object.fromEntries(caches.map((target) => [target, host.cacheFolder(target)])),
  });
  if (exitCode !== 0)
    throw new Error(`RUN ${command.trim()}\nended with ${exitCode}:\n${output.slice(-4000)}`);
}
