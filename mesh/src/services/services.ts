import { join } from "node:path";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import type { HostPort } from "@devicemesh/envoy";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { type EnvoyProcess, startEnvoyProcess } from "../front-door/envoy-process.ts";
import { planFrontDoor } from "../front-door/front-door.ts";
import type { Step } from "../steps.ts";
import {
  planGateway,
  planGenerator,
  planServices,
  type ServiceName,
  type ServicePlan,
  type ServicesConfig,
} from "./service-plans.ts";
import { type ServiceProcess, startServiceProcess } from "./service-process.ts";

/** The dependencies of the services. */
export type ServicesDependencies = {
  /** The folder of their logs. */
  readonly logs: string;
  /** The environment; variables with the prefix DEVICEMESH_ are not passed on, because the flags set everything. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The path of Envoy. Without it there is no front door, and the generator sends directly to ingest. */
  readonly envoyBinary: string | undefined;
  /**
   * The folder of Envoy's configuration while it runs, so that the process of a killed mesh is found; see startEnvoy.
   */
  readonly envoyFolder?: string;
  /** Called when a service died by itself and is being restarted. */
  readonly onDeath?: (name: string, how: string) => void;
  /** Called with the process id of a service after each start. */
  readonly onStart?: (name: string, processId: number) => void;
  /** Called with the addresses of a service and of its metrics. */
  readonly onListen?: (name: string, address: string, metrics: string | undefined) => void;
  /** Cancels the start in progress and ends it; nothing else is started then. */
  readonly signal?: AbortSignal | undefined;
};

/** The services of one mesh, each a process. */
export type Services = AsyncDisposable & {
  /** The steps that start them, in order; the operator's step depends on the named steps. */
  steps(needs: readonly string[]): readonly Step[];
  /** @throws Error if it has not been started. */
  get(name: ServiceName): ServiceProcess;
  /** The front door, once it has been started; undefined if there is none. */
  readonly frontDoor: EnvoyProcess | undefined;
  /** The running services. */
  running(): readonly ServiceProcess[];
  /** Ends the services in order, senders first. Stopping again has no effect. */
  stop(): Promise<void>;
};

/** Creates the services of a mesh over running engines. Only the steps start them. */
export function createServices(config: ServicesConfig, dependencies: ServicesDependencies): Services {
  const { logs, env, envoyBinary, envoyFolder, onDeath, onStart, onListen, signal } = dependencies;
  const plans = planServices(config);
  const ownEnv = Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith("DEVICEMESH_")));
  const started = new Map<ServiceName, ServiceProcess>();
  let generatorPort = config.ports.generator;
  let frontDoor: EnvoyProcess | undefined;

  async function start({ name, main, args, env: secrets }: ServicePlan): Promise<string> {
    const service = await startServiceProcess({
      name,
      main,
      args,
      env: { ...ownEnv, ...secrets },
      metrics: true,
      signal,
      logFile: join(logs, `${name}.log`),
      ...(onDeath && { onDeath }),
      ...(onStart && { onStart }),
    });
    return keep(name, service);
  }

  /** The front door starts before all services except the generator, which sends through it. */
  async function startFrontDoor(binary: string): Promise<string> {
    if (generatorPort === 0) [generatorPort = 0] = await freePorts(1);
    const envoy = await startEnvoyProcess({
      envoy: await planFrontDoor(config, {
        binary,
        folder: envoyFolder,
        backends: {
          ingest: behind("ingest"),
          query: behind("query"),
          aggregator: behind("aggregator"),
          gateway: behind("gateway"),
          generator: { host: "127.0.0.1", port: generatorPort },
        },
      }),
      signal,
      logFile: join(logs, "envoy.log"),
      ...(onDeath && { onDeath }),
      ...(onStart && { onStart }),
    });
    frontDoor = envoy;
    return keep("envoy", envoy);
  }

  function behind(name: ServiceName): HostPort {
    const [host = "", port] = get(name).address.split(":");
    return { host, port: Number(port) };
  }

  async function keep(name: ServiceName, service: ServiceProcess): Promise<string> {
    if (stop.isClosing) {
      await service.stop();
      throw new Error(`${name} was stopped while it started`);
    }
    started.set(name, service);
    onListen?.(name, service.address, service.metricsAddress);
    return service.address;
  }

  function get(name: ServiceName): ServiceProcess {
    const service = started.get(name);
    if (!service) throw new Error(`${name} has not been started`);
    return service;
  }

  const stop = closeOnce(async () => {
    // Senders end before receivers: the generator, then outside clients. Envoy lets open units end; query ends the
    // watches, which would last forever. The services that supervise end last.
    await started.get("generator")?.stop();
    await Promise.all([started.get("envoy")?.stop(), started.get("query")?.stop()]);
    await started.get("gateway")?.stop();
    await started.get("ingest")?.stop();
    await Promise.all([started.get("aggregator")?.stop(), started.get("operator")?.stop()]);
  });

  return {
    steps: (needs) => [
      { name: "operator", needs, run: () => start(plans.operator) },
      { name: "aggregator", needs: ["operator"], run: () => start(plans.aggregator) },
      { name: "ingest", needs: ["operator"], run: () => start(plans.ingest) },
      { name: "query", needs: ["operator"], run: () => start(plans.query) },
      {
        name: "gateway",
        needs: ["ingest"],
        run: () => start(planGateway(config, get("ingest").address)),
      },
      ...(envoyBinary === undefined
        ? []
        : [
            {
              name: "envoy",
              needs: ["aggregator", "ingest", "query", "gateway"],
              run: () => startFrontDoor(envoyBinary),
            },
          ]),
      {
        name: "generator",
        needs: [envoyBinary === undefined ? "ingest" : "envoy"],
        run: () => {
          const ports = { ...config.ports, generator: generatorPort };
          const target = frontDoor?.devicesAddress ?? frontDoor?.address ?? get("ingest").address;
          return start(planGenerator({ ...config, ports }, fromHere(target)));
        },
      },
    ],
    get,
    get frontDoor() {
      return frontDoor;
    },
    running: () => [...started.values()],
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Replaces the address of all interfaces by one at which this machine reaches it. */
function fromHere(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]):/, "127.0.0.1:");
}
