import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { localRegistry } from "../src/deploy/deploy.ts";
import { composeServices, untilComposeHealthy, writeComposeOverlay } from "./compose/compose.ts";
import { type BaseImages, makeBaseImages, makeMongoImage } from "./images/base-images.ts";
import { pushImages, startRegistry } from "./images/registry.ts";
import { shipImages } from "./images/ship.ts";
import { requireDashboard } from "./load/front-door.ts";
import { createEngine, type Engine } from "./machine/engine.ts";
import { labNetwork, makeBridge, makeNamespace } from "./machine/network.ts";
import type { LabTools } from "./machine/requirements.ts";
import type { Shell } from "./machine/shell.ts";
import { type LabCheckout, makeCheckout } from "./swarm/checkout.ts";
import { untilHealthy } from "./swarm/health.ts";
import { makeSwarm } from "./swarm/nodes.ts";
import { labOverlay } from "./swarm/overlay.ts";
import { walk } from "./walk/walk.ts";

/** The project that the lab runs. */
export const projectFolder = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The name of the stack, which is the first part of its services' names. */
export const stackName = "devicemesh";

/** A running stack in the lab. */
export type Lab = {
  readonly shell: Shell;
  /** One engine for each node; the first is the manager that receives commands. */
  readonly nodes: readonly Engine[];
  readonly builder: Engine;
  readonly checkout: LabCheckout;
  readonly folder: string;
  readonly single: boolean;
  /** The prefix of the images' names, with a slash; undefined on one node. */
  readonly registry: string | undefined;
  readonly report: (line: string) => void;
  /** Runs `npm run stack:deploy` with the lab's overlay, of the version that was deployed last unless `env` has another. */
  deploy(env?: Readonly<Record<string, string>>): Promise<string>;
  /** Builds the project's images with this version, and copies them to the nodes. */
  build(version: string): Promise<void>;
  /**
   * Makes a version whose services start and never become healthy, and copies it to the nodes. Its other images are those
   * of the deployed version.
   */
  buildUnhealthy(version: string): Promise<void>;
  /** Resolves with the elapsed seconds when all services have their tasks. */
  untilHealthy(limitMs?: number): Promise<number>;
};

/** The dependencies of the lab. */
export type LabOptions = {
  readonly shell: Shell;
  readonly tools: LabTools;
  readonly folder: string;
  readonly single: boolean;
  /** Whether several nodes pull the project's images from a registry, instead of loading them. */
  readonly hasRegistry: boolean;
  /** How the stack comes up: by the commands of stack/README.md, by the walk of docs/running.md, or by Docker Compose. */
  readonly by: "commands" | "walk" | "compose";
  readonly node: string;
  readonly npm: string;
  readonly path: string;
  readonly report: (line: string) => void;
};

/** An entry point that serves nothing. The job of a deployment that waits for replicas does its work and ends. */
const unhealthyEntry = ["sh", "-c", 'case "$*" in */replicas/*) exec "$@" ;; esac; sleep 86400', "sh"];

/** Starts engines, builds images, and deploys the stack; resolves when all of it is healthy. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { shell, tools, folder, single, report } = options;
  const count = single ? 1 : 3;
  const registry = single ? undefined : options.hasRegistry ? `${labNetwork.registry}/` : localRegistry;
  const builder = createEngine({ shell, client: tools.docker, folder, name: "build" });
  const nodes = Array.from({ length: count }, (_, place) =>
    createEngine({ shell, client: tools.docker, folder, name: `node${place + 1}`, node: place + 1 }),
  );
  // Nodes start empty; the caches of builds are kept.
  for (const { name } of nodes) rmSync(join(folder, name), { recursive: true, force: true });
  report(`engines: the builder and ${count} ${count === 1 ? "node" : "nodes"} (logs in ${folder})`);
  await makeBridge(shell);
  for (const place of nodes.keys()) await makeNamespace(shell, place + 1);
  if (options.hasRegistry) await startRegistry(folder, shell.signal);
  await Promise.all([builder, ...nodes].map((engine) => engine.start()));
  if (options.by === "commands") await makeSwarm(nodes);

  const manager = nodes[0] as Engine;
  const checkout = await makeCheckout({
    ...options,
    project: projectFolder,
    buildHost: builder.host,
    managerHost: manager.host,
  });
  const images: BaseImages = {
    ...options,
    engine: builder,
    builder: tools.builder,
    folder: join(folder, "images"),
    project: checkout.folder,
  };
  mkdirSync(images.folder, { recursive: true });
  await makeBaseImages(images);

  // What was deployed last stays: a fault after an update must not take the version back.
  let version = "0.1.0";
  const projectImages = async (version: string) =>
    imagesOf(await config(lab, { DEVICEMESH_VERSION: version })).filter((image) =>
      image.includes("/devicemesh/"),
    );
  const distribute = (names: readonly string[]): Promise<void> =>
    options.hasRegistry ? pushImages(builder, names) : shipImages(builder, nodes, names, folder);
  const lab: Lab = {
    ...{ shell, nodes, builder, checkout, folder, single, registry, report },
    async deploy(env = {}) {
      const output = await checkout.run(
        [...npmRun, "stack:deploy", "--", ...flags(single), "--overlay", "lab.yml"],
        settings(registry, { DEVICEMESH_VERSION: version, ...env }),
      );
      version = env.DEVICEMESH_VERSION ?? version;
      return output;
    },
    async build(version) {
      const env = registry === undefined ? {} : { DEVICEMESH_REGISTRY: registry };
      await checkout.run([...npmRun, "stack:build"], { ...env, DEVICEMESH_VERSION: version });
      await distribute(await projectImages(version));
    },
    async buildUnhealthy(unhealthy) {
      const context = join(folder, "unhealthy");
      mkdirSync(context, { recursive: true });
      const images = await projectImages(unhealthy);
      for (const image of images) {
        const deployed = `${image.slice(0, image.lastIndexOf(":"))}:${version}`;
        if (!image.includes("/services:")) {
          await builder.docker(["tag", deployed, image]);
          continue;
        }
        writeFileSync(
          join(context, "Dockerfile"),
          `FROM ${deployed}\nENTRYPOINT ${JSON.stringify(unhealthyEntry)}\n`,
        );
        await checkout.run(["docker", "build", "--quiet", "--tag", image, context]);
      }
      await distribute(images);
    },
    untilHealthy: (limitMs) =>
      options.by === "compose"
        ? untilComposeHealthy(manager, report)
        : untilHealthy(manager, stackName, { report, ...(limitMs === undefined ? {} : { limitMs }) }),
  };
  const mongo = imagesOf(await config(lab)).find((image) => image.startsWith("mongo:")) ?? "mongo";
  await makeMongoImage(images, mongo);
  await shipImages(builder, nodes, [mongo], folder);
  await comeUp[options.by](lab, options);
  await requireDashboard(checkout.folder, shell.signal);
  return lab;
}

/** The images of a merged stack, each once. */
function imagesOf(merged: string): readonly string[] {
  return [...new Set([...merged.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image ?? ""))];
}

const comeUp: Readonly<Record<LabOptions["by"], (lab: Lab, options: LabOptions) => Promise<void>>> = {
  commands: deployFirst,
  walk: async (lab, { path }) => {
    const { shell, checkout, report } = lab;
    await writeOverlay(lab);
    await walk({
      ...{ shell, report, folder: checkout.folder, untilHealthy: lab.untilHealthy },
      env: {
        PATH: `${checkout.bin}:${path}`,
        DMLAB_LOAD: "1",
        DEVICEMESH_STACK_OVERLAY: "lab.yml",
        // The checkout has this project's dependencies already.
        npm_config_ignore_scripts: "true",
      },
    });
  },
  async compose(lab, options) {
    const { checkout, report } = lab;
    report("images and secrets: npm run stack:build, npm run stack:secrets");
    await lab.build("0.1.0");
    await checkout.run([...npmRun, "stack:secrets", "--", "--hosts", labNetwork.addressOf(1)]);
    writeFileSync(join(checkout.folder, "stack/secrets/mongodb_url"), standInUrl);
    const text = readFileSync(join(checkout.folder, "compose.yml"), "utf8");
    const files = ["compose.yml", writeComposeOverlay(checkout.folder, text)].flatMap((file) => ["-f", file]);
    report("docker compose up -d");
    // Version 2 is a plugin of the client, version 1 a program of its own.
    const isPlugin = (await lab.shell.attempt([options.tools.docker, "compose", "version"])).code === 0;
    const compose = isPlugin ? ["docker", "compose"] : ["docker-compose"];
    await checkout.run([...compose, ...files, "up", "-d", ...composeServices(text)], {
      DEVICEMESH_BIND: "0.0.0.0",
      DOCKER_HOST: lab.nodes[0]?.host ?? "",
    });
    report(`healthy after ${await lab.untilHealthy()} s`);
  },
};

const standInUrl = "mongodb://mongo-1:27017/devicemesh?directConnection=true";

/** Files of the lab lie in the checkout: paths in a stack file are relative to the first one. */
async function writeOverlay(lab: Lab): Promise<void> {
  const { folder } = lab.checkout;
  writeFileSync(join(folder, "lab-mongodb-url"), standInUrl);
  writeFileSync(join(folder, "lab.yml"), labOverlay(await config(lab), "lab-mongodb-url"));
}

async function deployFirst(lab: Lab): Promise<void> {
  const { checkout, single, report } = lab;
  const hosts = [...lab.nodes.keys()].map((place) => labNetwork.addressOf(place + 1)).join(",");
  report("images: npm run stack:build");
  await lab.build("0.1.0");
  report("secrets: npm run stack:secrets");
  await checkout.run([...npmRun, "stack:secrets", "--", "--hosts", hosts]);
  await writeOverlay(lab);
  report(`deployment: npm run stack:deploy${single ? " -- --single" : ""}`);
  await lab.deploy();
  report(`healthy after ${await lab.untilHealthy()} s`);
}

/** Without `prestack:…`, which would install dependencies: the lab's checkout has them. */
export const npmRun = ["npm", "run", "--silent", "--ignore-scripts"] as const;

function flags(single: boolean): readonly string[] {
  return single ? ["--single"] : [];
}

/** Several nodes share two cores, so there are few replicas. */
function settings(registry: string | undefined, env: Readonly<Record<string, string>> = {}) {
  const few = {
    DEVICEMESH_ENVOY_REPLICAS: "3",
    DEVICEMESH_INGEST_REPLICAS: "2",
    DEVICEMESH_QUERY_REPLICAS: "2",
    DEVICEMESH_CONNECT_REPLICAS: "1",
    DEVICEMESH_SPARK_WORKERS: "1",
    DEVICEMESH_PARTITIONS: "6",
    DEVICEMESH_GENERATOR_DEVICES: "4",
  };
  return registry === undefined ? env : { DEVICEMESH_REGISTRY: registry, ...few, ...env };
}

async function config(
  { checkout, single, registry }: Lab,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = [...npmRun, "stack:config", "--", ...flags(single)];
  return await checkout.run(command, settings(registry, env));
}
