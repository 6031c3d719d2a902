import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EngineAddresses, type Engines, installEnvoy, killEnginesNow } from "@devicemesh/engines";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { isLoopback } from "@devicemesh/kit/server/hosts";
import { retentionProblem } from "@devicemesh/proto";
import { devicesAtStart } from "@devicemesh/standalone/settings";
import { planEngineStart } from "./engines/engine-steps.ts";
import { watchEngines } from "./engines/engine-watch.ts";
import { findCredentials } from "./services/credentials.ts";
import type { MeshIdentity, ServicesConfig } from "./services/service-plans.ts";
import { createServiceState, endOrphans } from "./services/service-state.ts";
import { createServices, type Services } from "./services/services.ts";
import { type MeshConfig, meshSettings } from "./settings.ts";
import { runSteps, type StepList } from "./steps.ts";

/** The whole mesh over the real engines, running. */
export type Mesh = AsyncDisposable & {
  readonly services: Services;
  readonly engines: Engines;
  readonly addresses: EngineAddresses;
  /** The trusted identities; undefined without authentication. */
  readonly identity: MeshIdentity | undefined;
  /** The full path of the data folder. */
  readonly folder: string;
  /** Ends services and engines in order. Closing again has no effect. */
  close(): Promise<void>;
};

/** The dependencies of the mesh. */
export type MeshDependencies = {
  /** The environment that services inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Creates a list for a group of steps. */
  readonly createList: () => StepList;
  /** Receives events after the start: processes that died or are ready again. */
  readonly report: (line: string) => void;
  /** Cancels the start and stops everything that was started. */
  readonly signal: AbortSignal;
};

/**
 * Starts engines and services, each as soon as its dependencies are ready, and resolves when all listen.
 * @throws Error that names the failed part and the cause, or the signal's reason; then everything is stopped again.
 */
export async function startMesh(config: MeshConfig, dependencies: MeshDependencies): Promise<Mesh> {
  const { env, createList, report, signal } = dependencies;
  checkHost(config);
  checkRetention(config);
  const identity = identityOf(config);
  const folder = resolve(config.data);
  const logs = join(folder, "logs");
  mkdirSync(logs, { recursive: true });
  const brokers = brokersOf(config);
  const state = createServiceState(folder);
  let engines: Engines | undefined;
  let services: Services | undefined;
  let watching: AsyncDisposable | undefined;

  const close = closeOnce(async () => {
    await watching?.[Symbol.asyncDispose]();
    await services?.stop();
    state.clear();
    await engines?.stop();
    process.removeListener("exit", killAll);
  });

  // A second Ctrl-C, or an internal error, ends this process at once: no process may outlive it.
  const killAll = (): void => {
    state.killStarted();
    killEnginesNow(join(folder, "engines"));
  };
  process.once("exit", killAll);

  try {
    const start = planEngineStart(
      ["leftovers"],
      { brokers, spark: config.spark, mongo: config.mongodbUrl === undefined },
      {
        folder: join(folder, "engines"),
        signal,
        ...(config.mongodbUrl !== undefined && { mongodbUrl: config.mongodbUrl }),
      },
    );
    await runSteps(
      [
        {
          name: "leftovers",
          needs: [],
          run: async () => {
            const ended = await endOrphans(state);
            return ended.length > 0 ? `ended ${ended.join(", ")} of an earlier run` : "none";
          },
        },
        ...start.steps,
      ],
      createList(),
    );
    engines = await start.engines;
    services = createServices(
      servicesConfigOf(config, { folder, addresses: engines.addresses, brokers, identity }),
      {
        logs,
        env,
        // Installed together with the engines.
        envoyBinary: await installEnvoy({ signal }),
        envoyFolder: join(folder, "envoy"),
        onDeath: (name, how) =>
          report(`${name} died (${how}): starting it again; its log is ${join(logs, `${name}.log`)}`),
        onStart: state.started,
        onListen: state.listens,
        signal,
      },
    );
    signal.throwIfAborted();
    await runSteps(services.steps([]), createList());
    signal.throwIfAborted();
    watching = watchEngines(engines, report);
    return {
      services,
      engines,
      addresses: engines.addresses,
      identity,
      folder,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    signal.throwIfAborted();
    throw error;
  }
}

/** @throws RangeError if clients on other machines could do everything and the settings do not explicitly allow it. */
function checkHost({ host, insecureBeyondLoopback, certs }: MeshConfig): void {
  if (isLoopback(host) || insecureBeyondLoopback || certs !== undefined) return;
  throw new RangeError(
    `--host ${host} is not a loopback address and needs authentication: set --certs (npm run certs makes the credentials), or --insecure-beyond-loopback to admit every client`,
  );
}

/** @throws RangeError that names the flags if they contradict each other. */
function checkRetention({ retainRaw, retain10s, retain10min, retain1day }: MeshConfig): void {
  const { settings } = meshSettings;
  const flags = [settings.retainRaw, settings.retain10s, settings.retain10min, settings.retain1day];
  const retention = { rawMs: retainRaw, levelsMs: [retain10s, retain10min, retain1day] };
  const problem = retentionProblem(
    retention,
    flags.map(({ flag }) => flag),
  );
  if (problem) throw new RangeError(problem);
}

/** @throws RangeError for a folder with missing files, and for a replay: no gateway may send for all its devices. */
function identityOf({ certs, replay, publicPort, devicesPort }: MeshConfig): MeshIdentity | undefined {
  if (certs === undefined) return undefined;
  if (replay !== undefined) {
    throw new RangeError(
      "--replay sends readings of any device, which no certificate of --certs allows: omit one of them",
    );
  }
  return { credentials: findCredentials(certs), publicPort, devicesPort };
}

/** @throws RangeError for two brokers: one may be unavailable only if there are three. */
function brokersOf({ brokers }: MeshConfig): 1 | 3 {
  if (brokers === 1 || brokers === 3) return brokers;
  throw new RangeError("--brokers must be 1 or 3: two brokers do not survive the loss of one");
}

function servicesConfigOf(
  config: MeshConfig,
  {
    folder,
    addresses,
    brokers,
    identity,
  }: {
    readonly folder: string;
    readonly addresses: EngineAddresses;
    readonly brokers: number;
    readonly identity: MeshIdentity | undefined;
  },
): ServicesConfig {
  return {
    engines: addresses,
    host: config.host,
    identity,
    ports: {
      envoy: config.port,
      ingest: config.ingestPort,
      query: config.queryPort,
      generator: config.generatorPort,
    },
    topicPrefix: config.topicPrefix,
    database: config.mongodbDatabase,
    partitions: config.partitions,
    replication: brokers,
    windowMs: config.window,
    segmentMs: config.segment,
    retainRawMs: config.retainRaw,
    retainWindowsMs: {
      finest: config.retain10s,
      tenMinutes: config.retain10min,
      day: config.retain1day,
    },
    sensors: config.sensors === undefined ? undefined : resolve(config.sensors),
    unknownSensors: config.unknownSensors,
    checkpoints: join(folder, "checkpoints"),
    corsOrigin: config.corsOrigin,
    mqttPort: config.mqttPort,
    mqttUrl: config.mqttUrl,
    devices: devicesAtStart(config) || undefined,
    spill: join(folder, "outbox"),
    logLevel: config.logLevel,
  };
}
