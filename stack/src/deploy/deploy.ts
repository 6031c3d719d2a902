import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StackConfig } from "../settings.ts";
import type { Shape } from "./addresses.ts";
import { deploymentWaves } from "./deployment-waves.ts";
import type { Docker } from "./docker.ts";
import { mergedConfig } from "./merged-config.ts";
import { type MountedFile, projectFolder, stackFiles } from "./stack-files.ts";

/** What the one node of the overlay is: everything. */
export const singleNodeLabels = [
  "devicemesh.edge=true",
  "devicemesh.kafka=1",
  "devicemesh.mongo=1",
  "devicemesh.spark=true",
  "devicemesh.admin=true",
] as const;

/** What deploying needs. */
export type Deployment = {
  readonly shape: Shape;
  readonly config: Pick<StackConfig, "name" | "dryRun">;
  readonly docker: Docker;
  /** Mounted files that are not there. */
  readonly missing: readonly MountedFile[];
  readonly say: (line: string) => void;
};

/**
 * Deploys the stack, or brings one that is there up to date, brokers and members of the database one after another.
 * @throws DockerError, or Error with what is to be done first.
 */
export function deploy({ shape, config, docker, missing, say }: Deployment): void {
  const files = missing.map(({ file }) => file);
  if (files.length > 0) {
    throw new Error(
      `${files.length === 1 ? "1 file is" : `${files.length} files are`} missing (${files.slice(0, 3).join(", ")}${files.length > 3 ? ", …" : ""}): run \`npm run stack:secrets -- --hosts NAME,…\` first, with the names that people and devices use`,
    );
  }
  if (shape === "single") labelNode(docker, config.dryRun);
  if (shape === "swarm" && isDeployed(docker, config)) replaceMembers(docker, config, say);
  docker.run([
    ...["stack", "deploy", "--detach=true", "--prune", ...deployOptions],
    ...stackFiles(shape).flatMap((file) => ["-c", file]),
    config.name,
  ]);
  if (!config.dryRun) {
    say(`
Deploying; \`docker stack services ${config.name}\` shows how far it is. A new mesh takes some minutes: the database's
replica set is made first, then topics and sinks, then the window job starts.`);
  }
}

const deployOptions = ["--with-registry-auth", "--resolve-image", "changed"] as const;

/** Whether the stack is there already. A dry run asks nobody, and shows how it would be updated. */
function isDeployed(docker: Docker, { name, dryRun }: Deployment["config"]): boolean {
  const filter = `label=com.docker.stack.namespace=${name}`;
  return dryRun || docker.read(["service", "ls", "--quiet", "--filter", filter]).trim() !== "";
}

/** Brings brokers and members of the database up to date, waiting for each; the last ones are left to what follows. */
function replaceMembers(docker: Docker, config: Deployment["config"], say: Deployment["say"]): void {
  const folder = join(projectFolder, wavesFolder);
  mkdirSync(folder, { recursive: true });
  for (const [place, { services, text }] of deploymentWaves(mergedConfig(docker, "swarm")).entries()) {
    const file = `wave-${place + 1}.yml`;
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    say(`${services.join(" and ")} first: the others of their kind go on meanwhile`);
    docker.run([
      "stack",
      "deploy",
      "--detach=false",
      ...deployOptions,
      "-c",
      `${wavesFolder}/${file}`,
      config.name,
    ]);
  }
}

/** Where parts of the stack are written that are deployed by themselves. */
const wavesFolder = ".cache/stack";

/** Gives the one node what docker-stack.yml asks of several. */
function labelNode(docker: Docker, dryRun: boolean): void {
  const node = dryRun ? "THIS-NODE" : docker.read(["info", "--format", "{{.Swarm.NodeID}}"]).trim();
  if (node === "") throw new Error("this machine is in no Swarm: run `docker swarm init` first");
  docker.run(["node", "update", ...singleNodeLabels.flatMap((label) => ["--label-add", label]), node]);
}
