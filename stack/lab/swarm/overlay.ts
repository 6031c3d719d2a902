import { parse, stringify } from "yaml";

type Merged = {
  readonly services: Readonly<Record<string, LabService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
};

type LabService = {
  readonly image: string;
  readonly ulimits?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly replicas?: number; readonly mode?: string };
};

/** Services whose images cannot be had, and members of a replica set that the stand-in cannot be. */
export const leftOut = /^(?:mongo-[2-9]|prometheus|grafana|kafka-ui|mongo-express)$/;

/** The hard limit of open files of a machine whose root may not raise it. */
export const openFilesMax = 16_384;

/** Heap sizes that let three nodes share one machine. */
const heaps: readonly (readonly [RegExp, Readonly<Record<string, string>>])[] = [
  [/^kafka-\d$/, { DEVICEMESH_HEAP: "384m" }],
  [/^connect$/, { DEVICEMESH_HEAP: "384m" }],
  [/^spark-worker$/, { SPARK_WORKER_MEMORY: "1000m" }],
  [/^spark-connect$/, { DEVICEMESH_HEAP: "768m" }],
];

/**
 * Returns the overlay for the lab's engines, as YAML: without features that this machine's kernel lacks (IPVS, so no
 * virtual addresses; ESP, so no encryption), with reservations for two cores, small heaps, and without unavailable
 * services.
 * @param merged output of `docker stack config` for the shape
 * @param mongodbUrlFile the connection string of the stand-in, instead of that of a replica set with users
 */
export function labOverlay(merged: string, mongodbUrlFile: string): string {
  const stack = parse(merged) as Merged;
  const services = Object.fromEntries(
    Object.entries(stack.services).map(([name, service]) => [name, overlayOf(name, service)]),
  );
  const networks = Object.fromEntries(
    Object.entries(stack.networks).map(([name, { internal = false }]) => [
      name,
      { driver: "overlay", internal, driver_opts: {} },
    ]),
  );
  const secrets = {
    // Its name contains the hash of its content, like those of the stack.
    mongodb_url: {
      name: `devicemesh-mongodb-url-${"$"}{DEVICEMESH_HASH_MONGODB_URL:-0}`,
      file: mongodbUrlFile,
    },
  };
  return stringify({ services, networks, secrets }, { aliasDuplicateObjects: false });
}

function overlayOf(name: string, { image, ulimits, deploy = {} }: LabService): object {
  const environment = heaps.find(([pattern]) => pattern.test(name))?.[1];
  const isJob = deploy.mode === "replicated-job";
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(ulimits === undefined ? {} : { ulimits: { nofile: { soft: openFilesMax, hard: openFilesMax } } }),
    // Checks take long on two busy cores, and each restart increases the load.
    ...(isJob ? {} : { healthcheck: { timeout: "30s", retries: 6, start_period: startPeriodOf(image) } }),
    deploy: {
      endpoint_mode: "dnsrr",
      // A job without tasks is done at once: the stand-in needs none.
      ...(leftOut.test(name) || isJob ? { replicas: 0 } : {}),
      resources: { reservations: { cpus: "0.01", memory: "16M" } },
    },
  };
}

/** The environment variable of how long a service in TypeScript may take to become healthy. */
export const startPeriodVariable = "DMLAB_START_PERIOD";

function startPeriodOf(image: string): string {
  return image.includes("/services:") ? `${"$"}{${startPeriodVariable}:-10m}` : "10m";
}
