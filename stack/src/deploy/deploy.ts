import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type SettleLimits, stackLimits } from "../limits.ts";
import type { StackConfig } from "../settings.ts";
import type { Shape } from "./addresses.ts";
import { deploymentWaves } from "./deployment-waves.ts";
import type { Docker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { requireReplicas } from "./replica-check.ts";
import { type MountedFile, projectFolder } from "./stack-files.ts";
import { readUpdates, type UpdatesBefore, untilSettled } from "./update-status.ts";

/** The labels of the one node of the overlay: it has every role. */
export const singleNodeLabels = [
  "devicemesh.edge=true",
  "devicemesh.kafka=1",
  "devicemesh.mongo=1",
  "devicemesh.spark=true",
  "devicemesh.admin=true",
] as const;

/** The prefix of images that are only on the nodes and not in a registry; the top-level domain is reserved. */
export const localRegistry = "local.invalid/";

/** The dependencies of a deployment. */
export type Deployment = {
  readonly shape: Shape;
  /** The stack files, in the order in which Docker merges them. */
  readonly files: readonly string[];
  readonly config: Pick<StackConfig, "name" | "dryRun">;
  /** The prefix of the project's images; empty if none was set. */
  readonly registry: string;
  readonly docker: Docker;
  /** Mounted files that do not exist. */
  readonly missing: readonly MountedFile[];
  readonly limits?: SettleLimits;
  readonly report: (line: string) => void;
};

/**
 * Deploys the stack. A running one is updated: brokers and members of the database one after another, then all other
 * services. Resolves when every update has ended.
 * @throws DockerError for a service that was rolled back, or Error with the required first step.
 */
export async function deploy(deployment: Deployment): Promise<void> {
  const { shape, files, config, registry, docker, missing, report, limits = stackLimits.settle } = deployment;
  requireFiles(missing);
  if (shape === "swarm" && registry === "") {
    throw new Error(
      `several nodes need the project's images: set DEVICEMESH_REGISTRY to the registry that they pull from, such as registry.example.com/, or to ${localRegistry} after \`docker load\` on each of them`,
    );
  }
  if (shape === "single") labelNode(docker, config.dryRun);
  const isUpdate = isDeployed(docker, config);
  const before = isUpdate && !config.dryRun ? readUpdates(docker, config.name) : new Map<string, string>();
  if (shape === "swarm" && isUpdate) await replaceMembers(deployment, before);
  docker.run([
    ...["stack", "deploy", "--detach=true", "--prune", ...deployOptions(registry)],
    ...files.flatMap((file) => ["-c", file]),
    config.name,
  ]);
  if (config.dryRun) return;
  if (isUpdate) {
    report("waiting until every update has ended");
    await untilSettled(docker, config.name, serviceNames(mergedConfig(docker, files)), before, limits);
    report("every service is up to date");
    return;
  }
  report(`
Deploying; \`docker stack services ${config.name}\` shows the progress. A new mesh takes some minutes: the database's
replica set is created first, then topics and sinks, then the window job starts.`);
}

function requireFiles(missing: Deployment["missing"]): void {
  const files = missing.map(({ file }) => file);
  if (files.length === 0) return;
  throw new Error(
    `${files.length === 1 ? "1 file is" : `${files.length} files are`} missing (${files.slice(0, 3).join(", ")}${files.length > 3 ? ", …" : ""}): run \`npm run stack:secrets -- --hosts NAME,…\` first, with the names that users and devices connect to`,
  );
}

/** Images without a registry are not looked up: the nodes have them. */
function deployOptions(registry: string): readonly string[] {
  const isLocal = registry === "" || registry === localRegistry;
  return ["--with-registry-auth", "--resolve-image", isLocal ? "never" : "changed"];
}

/** Whether the stack exists. A dry run contacts no engine, and prints an update. */
function isDeployed(docker: Docker, { name, dryRun }: Deployment["config"]): boolean {
  const filter = `label=com.docker.stack.namespace=${name}`;
  return dryRun || docker.read(["service", "ls", "--quiet", "--filter", filter]).trim() !== "";
}

/** Updates brokers and members of the database one at a time; the last ones are part of the final deployment. */
async function replaceMembers(deployment: Deployment, before: UpdatesBefore): Promise<void> {
  const { files, config, registry, docker, report, limits = stackLimits.settle } = deployment;
  const folder = join(projectFolder, wavesFolder);
  mkdirSync(folder, { recursive: true });
  const merged = mergedConfig(docker, files);
  for (const [place, { services, text }] of deploymentWaves(merged).entries()) {
    const file = `wave-${place + 1}.yml`;
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    report(`${services.join(" and ")}: the others of their kind continue meanwhile`);
    docker.run([
      ...["stack", "deploy", "--detach=true", ...deployOptions(registry)],
      ...["-c", `${wavesFolder}/${file}`, config.name],
    ]);
    if (config.dryRun) continue;
    await untilSettled(docker, config.name, services, before, limits);
    report("waiting until every replica is in sync");
    await requireReplicas(docker, config.name, merged, limits.pollMs);
  }
}

function serviceNames(merged: string): readonly string[] {
  const { services } = parse(merged) as {
    services: Readonly<Record<string, { readonly deploy?: { readonly mode?: string } }>>;
  };
  // A job ends by itself, and has no tasks then.
  return Object.keys(services).filter((name) => services[name]?.deploy?.mode !== "replicated-job");
}

/** The folder of partial deployments. */
const wavesFolder = ".cache/stack";

/** Gives the one node the labels that docker-stack.yml expects of several. */
function labelNode(docker: Docker, dryRun: boolean): void {
  const node = dryRun ? "THIS-NODE" : docker.read(["info", "--format", "{{.Swarm.NodeID}}"]).trim();
  if (node === "") throw new Error("this machine is in no Swarm: run `docker swarm init` first");
  docker.run(["node", "update", ...singleNodeLabels.flatMap((label) => ["--label-add", label]), node]);
}
