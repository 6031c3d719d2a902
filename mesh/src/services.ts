import { join } from "node:path";
import {
  planGenerator,
  planQuery,
  planServices,
  type ServiceName,
  type ServicePlan,
  type ServicesConfig,
} from "./service-plans.ts";
import { type ServiceProcess, startServiceProcess } from "./service-process.ts";
import type { Step } from "./steps.ts";

/** What the services need from outside. */
export type ServicesDependencies = {
  /** The folder of their logs. */
  readonly logs: string;
  /** The environment; what begins with DEVICEMESH_ is not passed on, since flags say all. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told when a service died by itself and is being started again. */
  readonly onDeath?: (name: string, how: string) => void;
  /** Told the process id of a service each time it was started. */
  readonly onStart?: (name: string, processId: number) => void;
  /** Told where a service listens, and where its metrics are. */
  readonly onListen?: (name: string, address: string, metrics: string | undefined) => void;
};

/** The services of one mesh, each a process. */
export type Services = AsyncDisposable & {
  /** Steps that start them, in order; the operator's needs the steps that are named. */
  steps(needs: readonly string[]): readonly Step[];
  /** @throws Error if it has not been started. */
  get(name: ServiceName): ServiceProcess;
  /** What runs now. */
  running(): readonly ServiceProcess[];
  /** Ends them in order: those that send first. Stopping twice is the same as once. */
  stop(): Promise<void>;
};

/** The services of a mesh over engines that run already. Nothing is started but by the steps. */
export function createServices(config: ServicesConfig, dependencies: ServicesDependencies): Services {
  const { logs, env, onDeath, onStart, onListen } = dependencies;
  const plans = planServices(config);
  const ownEnv = Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith("DEVICEMESH_")));
  const started = new Map<ServiceName, ServiceProcess>();
  let stopping: Promise<void> | undefined;

  async function start({ name, main, args }: ServicePlan): Promise<string> {
    const service = await startServiceProcess({
      name,
      main,
      args,
      env: ownEnv,
      metrics: true,
      logFile: join(logs, `${name}.log`),
      ...(onDeath && { onDeath }),
      ...(onStart && { onStart }),
    });
    if (stopping) {
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

  async function end(): Promise<void> {
    // Those that send before those that take, the watchers last.
    for (const names of [["generator"], ["query", "ingest"], ["aggregator", "operator"]] as const) {
      await Promise.all(names.map((name) => started.get(name)?.stop()));
    }
  }
  const stop = (): Promise<void> => {
    stopping ??= end();
    return stopping;
  };

  return {
    steps: (needs) => [
      { name: "operator", needs, run: () => start(plans.operator) },
      { name: "aggregator", needs: ["operator"], run: () => start(plans.aggregator) },
      { name: "ingest", needs: ["operator"], run: () => start(plans.ingest) },
      {
        name: "generator",
        needs: ["ingest"],
        run: () => start(planGenerator(config, get("ingest").address)),
      },
      {
        name: "query",
        needs: ["ingest", "generator"],
        run: () =>
          start(planQuery(config, { ingest: get("ingest").address, generator: get("generator").address })),
      },
    ],
    get,
    running: () => [...started.values()],
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
