import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { EngineAddresses } from "@devicemesh/engines";
import { createServices, type ServiceName, type ServicesConfig } from "@devicemesh/mesh";

/** The addresses and folders of a bench's mesh. */
export type BenchServicesOptions = {
  readonly engines: EngineAddresses;
  /** Prefix of topics and connectors, which is also the name of the database. */
  readonly prefix: string;
  /** For logs and checkpoints. */
  readonly folder: string;
  readonly partitions: number;
  /** Number of devices that the generator simulates. */
  readonly devices: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
};

/** The services of a mesh, each a process like in `npm run mesh`, started one by one. */
export type BenchServices = AsyncDisposable & {
  readonly database: string;
  /** Aborts when the bench does, or when a service has died: figures of a degraded mesh are meaningless. */
  readonly signal: AbortSignal;
  /** Starts a service; resolves with its address (host:port) and its process. */
  start(
    name: ServiceName,
  ): Promise<{ readonly address: string; readonly port: number; readonly pid: number }>;
};

/** Returns the services of a separate mesh; none is started. They end with this process, except after SIGKILL. */
export function createBenchServices(options: BenchServicesOptions): BenchServices {
  const { engines, prefix, folder, partitions, devices, env, signal } = options;
  const logs = join(folder, "logs", prefix);
  mkdirSync(logs, { recursive: true });
  const config: ServicesConfig = {
    engines,
    host: "127.0.0.1",
    ports: { envoy: 0, ingest: 0, query: 0, generator: 0 },
    topicPrefix: prefix,
    database: databaseOf(prefix),
    partitions,
    replication: 1,
    windowMs: 10_000,
    segmentMs: 10_000,
    retainRawMs: undefined,
    checkpoints: join(folder, "checkpoints", prefix),
    corsOrigin: undefined,
    devices,
    spill: undefined,
    logLevel: "warn",
  };
  const died = new AbortController();
  const processIds = new Map<string, number>();
  const services = createServices(config, {
    logs,
    env,
    // The services themselves are measured, without the front door.
    envoyBinary: undefined,
    onDeath: (name, how) => died.abort(new Error(`${name} died (${how}); its log is ${logs}/${name}.log`)),
    onStart: (name, pid) => processIds.set(name, pid),
  });
  const endAll = () => {
    for (const pid of processIds.values()) endIfThere(pid);
  };
  process.once("exit", endAll);
  return {
    database: config.database,
    signal: AbortSignal.any([signal, died.signal]),
    async start(name) {
      const step = services.steps([]).find((one) => one.name === name);
      if (!step) throw new RangeError(`no service ${name}`);
      const address = await step.run(() => {});
      const { processId } = services.get(name);
      if (processId === undefined) throw new Error(`${name} has ended`);
      return { address, port: Number(address.split(":").at(-1)), pid: processId };
    },
    async [Symbol.asyncDispose]() {
      process.off("exit", endAll);
      await services.stop();
    },
  };
}

/** The database of the mesh with this prefix. */
export function databaseOf(prefix: string): string {
  return prefix.replaceAll("-", "_").replace(/_$/, "");
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // The process has ended.
  }
}
