import { execFileSync } from "node:child_process";
import {
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, posix } from "node:path";
import { type BaseImage, substituteBaseImage, systemLinks, systemMounts } from "./base-images.ts";
import { type BuildContext, openBuildContext } from "./build-context.ts";
import { readDockerfile, type Stage, type Step } from "./dockerfile.ts";
import { runInSandbox } from "./sandbox.ts";

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

/** What is in a base image before anything is done, apart from what is mounted. */
function makeSystem(root: string, base: BaseImage): void {
  for (const folder of ["usr", "proc", "dev", "etc", "opt", "root", "run", "tmp", "var/lib"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  execFileSync("chmod", ["1777", join(root, "tmp")]);
  for (const [path, target] of systemLinks()) execFileSync("ln", ["-s", target, join(root, path)]);
  for (const { host, inside } of [...systemMounts(), ...base.mounts].filter(
    ({ inside }) => !inside.startsWith("/usr/"),
  )) {
    if (statSync(host).isDirectory()) mkdirSync(join(root, inside), { recursive: true });
    else writeFileSync(join(root, inside), "");
  }
  const users = Object.entries(base.users);
  const account = ([name, id]: readonly [string, number]): string =>
    `${name}:x:${id}:${id}::/home/${name}:/bin/sh\n`;
  writeFileSync(join(root, "etc/passwd"), `root:x:0:0:root:/root:/bin/bash\n${users.map(account).join("")}`);
  writeFileSync(
    join(root, "etc/group"),
    `root:x:0:\n${users.map(([name, id]) => `${name}:x:${id}:\n`).join("")}`,
  );
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
      if (value === undefined) throw new Error(`nothing says what \${${name}} is`);
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

function copyInto(
  image: Built,
  { from, owner, sources, target }: Extract<Step, { kind: "copy" }>,
  build: { readonly context: BuildContext; readonly built: ReadonlyMap<string, Built> },
): void {
  const to = join(image.root, posix.resolve(image.workFolder, target));
  const into = target.endsWith("/") || sources.length > 1 || existsSync(to) ? "folder" : "file";
  const before = new Set(filesUnder(to));
  for (const source of sources) {
    if (from === undefined) {
      build.context.copy(source, to, into);
      continue;
    }
    const stage = build.built.get(from);
    if (stage === undefined) throw new Error(`COPY --from=${from}: there is no such stage before this one`);
    const path = join(stage.root, posix.resolve("/", source));
    const isFolder = statSync(path).isDirectory();
    mkdirSync(into === "folder" || isFolder ? to : join(to, ".."), { recursive: true });
    execFileSync("cp", ["-a", "--no-preserve=ownership", isFolder ? `${path}/.` : path, to]);
  }
  const { uid, gid } = owner === undefined ? { uid: 0, gid: 0 } : userOf(image.root, owner);
  for (const path of filesUnder(to).filter((path) => !before.has(path))) lchownSync(path, uid, gid);
}

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name))];
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

/** `name`, `name:group`, `1000` or `1000:1000`, as the stage's own files know them. @throws Error for an unknown name. */
function userOf(root: string, text: string): { uid: number; gid: number } {
  const [name = "", group] = text.split(":");
  const accounts = readFileSync(join(root, "etc/passwd"), "utf8").split("\n");
  const groups = readFileSync(join(root, "etc/group"), "utf8").split("\n");
  const find = (lines: readonly string[], wanted: string): string[] | undefined =>
    lines.map((line) => line.split(":")).find(([known, , id]) => known === wanted || id === wanted);
  const account = find(accounts, name);
  const uid = Number(account?.[2] ?? name);
  const gid = Number(group === undefined ? (account?.[3] ?? 0) : (find(groups, group)?.[2] ?? group));
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) throw new Error(`there is no user ${text}`);
  return { uid, gid };
}
