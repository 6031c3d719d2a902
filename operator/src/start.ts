import { setTimeout as delay } from "node:timers/promises";
import { cancelledAfter, withinTime } from "@devicemesh/kit/async/time-limit";
import {
  createDependencies,
  type Dependencies,
  withoutFigures,
} from "@devicemesh/kit/health/dependency-health";
import { createFailureLog } from "@devicemesh/kit/health/failure-log";
import { addHealthToGrpcServer, createHealth } from "@devicemesh/kit/health/health";
import { type Backoff, backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { startGrpcServer } from "@devicemesh/kit/rpc/grpc-server";
import { addReflectionToGrpcServer, createReflection } from "@devicemesh/kit/rpc/reflection";
import { readContractImage } from "@devicemesh/proto/image";
import { connectorDefinitions } from "./connectors/connector-definitions.ts";
import { type DeadLetters, startDeadLetters } from "./dead-letters/dead-letters.ts";
import { MeshRefusedError } from "./definition/difference.ts";
import { applyParts, inspectMesh } from "./definition/inspect-mesh.ts";
import type { MeshDefinition } from "./definition/mesh-definition.ts";
import { inspectionAnswersMax, sparkMasterWatch } from "./limits.ts";
import { createMaintenance, type MaintenanceIntervals } from "./maintenance/maintenance.ts";
import { createMongoOperatorStore } from "./maintenance/mongo-operator-store.ts";
import { watchPort } from "./maintenance/port-watch.ts";
import { type EngineName, engineNames, type MeshEngines, openEngines } from "./mesh-engines.ts";
import { type OperatorObservation, registerOperatorMetrics } from "./metrics.ts";
import { startRetention } from "./retention/retention.ts";
import { enginesOf, meshOf, type OperatorConfig, sparkMasterOf } from "./settings.ts";

/** The dependencies of the operator. */
export type OperatorDependencies = {
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The contract as a FileDescriptorSet in bytes, for reflection; read from the package by default. */
  readonly image?: Uint8Array;
  /** Replacements for the defaults, for tests. */
  readonly intervals?: Partial<OperatorIntervals>;
  /** Where the operator registers its metrics; none if left out. */
  readonly metrics?: Metrics | undefined;
};

/** The intervals of the operator. */
export type OperatorIntervals = MaintenanceIntervals & {
  /** Interval between two polls of everything, in ms. */
  readonly pollEveryMs: number;
  /** The delays between attempts to make the mesh while an engine is unavailable. */
  readonly retry: Backoff;
  /**
   * How long deletion waits after a retention mark has moved, and the interval at which retention is checked, in ms.
   */
  readonly deletionDelayMs?: number;
  readonly retentionEveryMs?: number;
  /** How long `startOperator` waits for the mesh to be made before it resolves, in ms. */
  readonly firstMs: number;
};

/** The defaults. */
export const operatorIntervals: OperatorIntervals = {
  pollEveryMs: 2000,
  // A sink commits several times a second; electing a new primary takes a database several.
  stuckAfterMs: 20_000,
  inspectEveryMs: 10_000,
  answerMs: 10_000,
  retry: { firstMs: 500, longestMs: 5000 },
  firstMs: 60_000,
};

/** The operator, listening. */
export type Operator = AsyncDisposable & {
  readonly port: number;
  /**
   * Rejects with the reason if the mesh cannot be made or kept and a retry would not help. Never before `startOperator`
   * resolves.
   */
  readonly failed: Promise<never>;
  /** Stops all work, reports NOT_SERVING, and frees the port; the mesh stays. Closing again has no effect. */
  close(): Promise<void>;
};

/**
 * Starts the operator: makes the mesh, then maintains it and reads its dead letters until it is closed. While an engine
 * is unavailable, it keeps trying; health reports NOT_SERVING, also for the name of that engine.
 * @throws PortInUseError, SettingsError, or MeshRefusedError if another mesh exists there.
 */
export async function startOperator(
  config: OperatorConfig,
  dependencies: OperatorDependencies,
): Promise<Operator> {
  const { logger, image = readContractImage(), metrics } = dependencies;
  const intervals = { ...operatorIntervals, ...dependencies.intervals };
  const mesh = meshOf(config);
  const health = createHealth(engineNames);
  health.setServing(false);
  const reflection = createReflection({ image, services: [] });
  const seen: Seen = { observation: undefined, deadLetters: undefined };
  const sparkMaster = sparkMasterOf(config);
  const watch = sparkMaster && watchPort({ ...sparkMaster, ...sparkMasterWatch });
  if (metrics) {
    registerOperatorMetrics(metrics, {
      connectors: connectorDefinitions(mesh).map(({ name }) => name),
      observation: () => seen.observation,
      deadLetters: () => seen.deadLetters?.counts() ?? noDeadLetters,
      isSparkMasterReachable: watch?.isReachable,
    });
  }
  const engines = openEngines(enginesOf(config), mesh.names.database);
  const server = await startGrpcServer({
    host: config.host,
    port: config.port,
    metrics,
    addServices(grpcServer) {
      addHealthToGrpcServer(grpcServer, health);
      addReflectionToGrpcServer(grpcServer, reflection);
    },
    onClosing: () => health.close(),
    shutdownGraceMs: 100,
  }).catch(async (error: unknown) => {
    watch?.[Symbol.dispose]();
    await engines[Symbol.asyncDispose]();
    throw error;
  });
  const stopping = new AbortController();
  const waiting = createDependencies<EngineName>({ logger, health });
  const run = { engines, mesh, intervals, logger, waiting, signal: stopping.signal };
  const made = makeMesh(run);
  const kept = made.then(() => keepMesh({ ...run, seen, health, clock: dependencies.clock }));
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  kept.catch((error: unknown) => {
    if (!stopping.signal.aborted) failure.reject(error);
  });

  const close = closeOnce(async () => {
    stopping.abort();
    watch?.[Symbol.dispose]();
    await Promise.allSettled([kept]);
    await engines[Symbol.asyncDispose]();
    await server.close();
  });

  const late = await withinTime(made, { ms: intervals.firstMs, what: "the mesh" }).catch(
    (error: unknown) => error,
  );
  if (late instanceof MeshRefusedError) {
    await close();
    throw late;
  }
  return { port: server.port, failed: failure.promise, close, [Symbol.asyncDispose]: close };
}

type Run = {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly intervals: OperatorIntervals;
  readonly logger: Logger;
  readonly waiting: Dependencies<EngineName>;
  readonly signal: AbortSignal;
};

/** The last result, for requests between two polls. */
type Seen = { observation: OperatorObservation; deadLetters: Pick<DeadLetters, "counts"> | undefined };

const noDeadLetters = { duplicate: 0, conflict: 0, redelivery: 0, invalid: 0 } as const;

/** Resolves when the mesh is made; retries while an engine is unavailable. */
async function makeMesh(run: Run): Promise<void> {
  const { engines, mesh, intervals, logger, signal } = run;
  const log = createFailureLog({
    logger,
    failed: "the mesh is not made yet; retrying",
    recovered: "the mesh can be made",
  });
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    if (await askEngines(run)) {
      try {
        const limit = {
          ms: inspectionAnswersMax * intervals.answerMs,
          what: "the inspection of the mesh",
          signal,
        };
        const parts = await cancelledAfter((ending) => inspectMesh(engines, mesh, ending), limit);
        await applyParts(parts, ({ what, difference }) => logger.info({ part: what, difference }, "made"));
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof MeshRefusedError) throw error;
        log.failed(error);
      }
    }
    await delay(backoffDelayMs({ attempt, backoff: intervals.retry }), undefined, { signal });
  }
}

/** Whether every engine answers; an engine that does not answer is reported in log and health. */
async function askEngines({ engines, intervals, waiting, signal }: Run): Promise<boolean> {
  const answers = engineNames.map(async (name) => {
    try {
      const limit = { ms: intervals.answerMs, what: name, signal };
      await cancelledAfter((ending) => engines.ask(name, ending), limit);
      waiting.available(name);
      return true;
    } catch (error) {
      if (!signal.aborted) waiting.unavailable(name, error);
      return false;
    }
  });
  return (await Promise.all(answers)).every((isAnswering) => isAnswering);
}

/** Maintains the mesh until the signal aborts. */
async function keepMesh(
  run: Run & {
    readonly seen: Seen;
    readonly health: ReturnType<typeof createHealth>;
    readonly clock: () => number;
  },
): Promise<void> {
  const { engines, mesh, intervals, logger, waiting, signal, seen, health, clock } = run;
  const store = createMongoOperatorStore(engines.db);
  const maintenance = createMaintenance({
    engines,
    mesh,
    store,
    intervals,
    now: () => performance.now(),
    logger,
  });
  await using deadLetters = startDeadLetters({ engines, mesh, logger, retry: intervals.retry });
  await using retention = startRetention({
    engines,
    mesh,
    logger,
    clock,
    delayMs: intervals.deletionDelayMs,
    stepEveryMs: intervals.retentionEveryMs,
  });
  seen.deadLetters = deadLetters;
  let known = "";
  while (!signal.aborted) {
    const [status] = await Promise.all([maintenance.run(signal), askEngines(run)]);
    if (signal.aborted) return;
    const problems = [
      ...waiting.problems(),
      ...status.problems,
      ...deadLetters.problems(),
      ...retention.problems(),
    ];
    try {
      await store.writeStatus({ _id: "operator", updated: new Date(clock()), ...status, problems });
    } catch (error) {
      problems.push(`the status could not be written: ${reasonOf(error)}`);
    }
    if (signal.aborted) return;
    seen.observation = { ...status, problems };
    health.setServing(problems.length === 0, "");
    const reported = withoutFigures(problems.join("\n"));
    if (reported !== known) logger.warn({ problems }, problems.length === 0 ? "no problems" : "problems");
    known = reported;
    await delay(intervals.pollEveryMs, undefined, { signal }).catch(() => {});
  }
}
