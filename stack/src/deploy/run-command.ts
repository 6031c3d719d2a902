import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { pinImages } from "../digests/pin-images.ts";
import { readDigest } from "../digests/registry-digest.ts";
import type { StackCommand, StackConfig } from "../settings.ts";
import type { Shape } from "./addresses.ts";
import { composeFile, composeMarks } from "./compose-file.ts";
import { staleFiles, writeFiles } from "./config-folder.ts";
import { deploy } from "./deploy.ts";
import { createDocker, type Docker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { renderConfigFiles } from "./rendered-files.ts";
import { makeSecrets } from "./secret-files.ts";
import {
  configFolder,
  hashVariables,
  missingFiles,
  projectFolder,
  secretsFolder,
  stackFiles,
} from "./stack-files.ts";

const composePath = join(projectFolder, "compose.yml");

/** What commands need from outside. */
export type CommandContext = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints a line for users. */
  readonly report: (line: string) => void;
  /** Prints output for programs. */
  readonly print: (text: string) => void;
  readonly nowMs: number;
};

/**
 * Runs a command of the stack and returns its exit code.
 * @throws DockerError, or Error with the required first step, or with an image whose digest is unknown.
 */
export async function runStackCommand(
  command: StackCommand,
  config: StackConfig,
  context: CommandContext,
): Promise<number> {
  const shape: Shape = config.single ? "single" : "swarm";
  const files = stackFiles(shape, { admin: config.admin, overlay: listOf(config.overlay) });
  const docker = (): Docker =>
    createDocker({
      env: context.env,
      variables: {
        DEVICEMESH_PUBLIC_HOST: firstHost(config),
        ...definedOf(context.env),
        ...hashVariables(files),
      },
      dryRun: config.dryRun,
      report: context.report,
    });
  switch (command) {
    case "config":
      return checkConfig(files, config, docker(), context);
    case "secrets":
      return await secrets(config, context);
    case "build":
      buildDashboard(config, context);
      return build(docker(), context.env);
    case "deploy":
      render(context.report);
      await deploy({
        ...{ shape, files, config, docker: docker(), missing: missingFiles(files), report: context.report },
        registry: context.env.DEVICEMESH_REGISTRY ?? "",
      });
      return 0;
    case "digests":
      await pinImages({
        project: projectFolder,
        readDigest: (image) => readDigest(image, config.registry),
        report: context.report,
      });
      context.report("run `npm run stack:config`, which renders compose.yml, and commit the changes");
      return 0;
    case "remove":
      docker().run(["stack", "rm", config.name]);
      context.report(
        "Volumes and stack/secrets are kept: what is stored comes back with the next deployment.",
      );
      return 0;
  }
}

/** The stack's own variables, if they are set. */
function definedOf(env: CommandContext["env"]): Record<string, string> {
  const host = env.DEVICEMESH_PUBLIC_HOST;
  return host === undefined || host === "" ? {} : { DEVICEMESH_PUBLIC_HOST: host };
}

function firstHost({ hosts }: StackConfig): string {
  return listOf(hosts)[0] ?? "localhost";
}

/** Updates `stack/config`, and reports the changed files. */
function render(report: CommandContext["report"]): void {
  for (const { file } of writeFiles(configFolder, renderConfigFiles()))
    report(`rendered stack/config/${file}`);
}

/** What `compose.yml` is to be, and whether it is. */
function renderCompose(env: CommandContext["env"]): { readonly text: string; readonly isFresh: boolean } {
  const docker = createDocker({ env, variables: composeMarks, dryRun: false, report: () => {} });
  const text = composeFile(mergedConfig(docker, stackFiles("single")), projectFolder);
  return { text, isFresh: existsSync(composePath) && readFileSync(composePath, "utf8") === text };
}

function checkConfig(
  files: readonly string[],
  config: StackConfig,
  docker: Docker,
  { env, report, print }: CommandContext,
): number {
  const compose = renderCompose(env);
  if (config.check) {
    const stale = staleFiles(configFolder, renderConfigFiles());
    for (const { file, how } of stale) report(`stack/config/${file}: ${how}`);
    if (!compose.isFresh) report("compose.yml: different");
    if (stale.length > 0 || !compose.isFresh) {
      report("run `npm run stack:config`");
      return 1;
    }
  } else {
    render(report);
    if (!compose.isFresh) {
      writeFileSync(composePath, compose.text);
      report("rendered compose.yml");
    }
  }
  print(mergedConfig(docker, files));
  return 0;
}

async function secrets(config: StackConfig, { report, nowMs }: CommandContext): Promise<number> {
  mkdirSync(secretsFolder, { recursive: true, mode: 0o700 });
  const made = await makeSecrets({
    folder: secretsFolder,
    hosts: listOf(config.hosts),
    nowMs,
    renew: config.renew,
  });
  for (const { file, made: isNew } of made) report(`${isNew ? "made" : "kept"}  stack/secrets/${file}`);
  report(`
These are for your eyes alone, and are not in the repository: keep a copy. Users' tokens are
stack/secrets/certs/user-*.jwt; the passwords of Grafana, Kafka UI and mongo-express (user: admin) are in the files
named after them. stack/secrets/certs/ca-key.pem signs devices: for production sign them elsewhere.`);
  return 0;
}

/** What query serves as the page: the image of the services takes it as it is. @throws Error if it does not compile. */
function buildDashboard({ dryRun }: StackConfig, { report }: CommandContext): void {
  const main = "web/src/build/main.ts";
  if (dryRun) {
    report(`node ${main}`);
    return;
  }
  const { status } = spawnSync(process.execPath, [main], { cwd: projectFolder, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the dashboard cannot be built; no image was built");
}

/** The images of the project, by the names that docker-stack.yml has. */
export const images = ["services", "spark", "kafka", "envoy"] as const;

function build(docker: Docker, env: CommandContext["env"]): number {
  const merged = mergedConfig(docker, stackFiles("swarm"));
  for (const image of images) {
    const name = imageName(merged, image);
    docker.run([
      "build",
      ...["--file", `stack/images/${image}.Dockerfile`],
      ...["--build-arg", `VERSION=${name.slice(name.lastIndexOf(":") + 1)}`],
      ...["--build-arg", `REVISION=${revision(env)}`],
      ...["--tag", name],
      ".",
    ]);
  }
  return 0;
}

/** The commit of the checkout; unknown outside a repository. */
function revision(env: CommandContext["env"]): string {
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], {
    cwd: projectFolder,
    encoding: "utf8",
    env: { PATH: env.PATH },
  });
  return status === 0 ? stdout.trim() : "unknown";
}

/** Docker itself fills in the variables, so that the rule exists only once. */
function imageName(merged: string, image: (typeof images)[number]): string {
  const found = new RegExp(`^ +image: (\\S*devicemesh/${image}:\\S+)$`, "m").exec(merged)?.[1];
  if (found === undefined) throw new Error(`docker-stack.yml has no image devicemesh/${image}`);
  return found;
}
