import { setTimeout as delay } from "node:timers/promises";
import { startGrpcServer } from "@devicemesh/kit/grpc-server";
import { addHealthToGrpcServer, createHealth } from "@devicemesh/kit/health";
import type { Logger } from "@devicemesh/kit/logger";
import type { Metrics } from "@devicemesh/kit/metrics";
import { addReflectionToGrpcServer, createReflection } from "@devicemesh/kit/reflection";
import { enginesOf, meshOf, type OperatorConfig } from "./config.ts";
import { connectorDefinitions } from "./connector-definitions.ts";
import { type DeadLetters, startDeadLetters } from "./dead-letters.ts";
import { MeshRefusedError } from "./difference.ts";
import { applyParts, inspectMesh } from "./inspect-mesh.ts";
import type { MeshDefinition } from "./mesh-definition.ts";
import { type MeshEngines, openEngines } from "./mesh-engines.ts";
import { type OperatorSight, registerOperatorMetrics } from "./metrics.ts";
import { createMongoOperatorStore } from "./mongo-operator-store.ts";
import { createUpkeep, type UpkeepPace } from "./upkeep.ts";
import { within } from "./within.ts";

/** What the operator needs from outside. */
export type OperatorDependencies = {
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The contract as a FileDescriptorSet in bytes, for reflection. */
  readonly image: Uint8Array;
  /** Other than the defaults, for tests. */
  readonly pace?: Partial<OperatorPace>;
  /** Gets what the operator counts, if somebody wants it. */
  readonly metrics?: Metrics | undefined;
};

/** How the operator spends its time. */
export type OperatorPace = UpkeepPace & {
  /** Between two looks at everything, in ms. */
  readonly lookEveryMs: number;
  /** Between two attempts to make the mesh while an engine is away, in ms; it doubles up to ten times as much. */
  readonly retryMs: number;
  /** How long `startOperator` waits for the mesh to be made before it says that it listens, in ms. */
  readonly firstMs: number;
};

/** The defaults. */
export const operatorPace: OperatorPace = {
  lookEveryMs: 2000,
  // A sink commits every second; a database that elects a new primary takes some.
  stuckAfterMs: 20_000,
  inspectEveryMs: 10_000,
  answerMs: 10_000,
  retryMs: 500,
  firstMs: 60_000,
};

/** The operator, listening. */
export type Operator = AsyncDisposable & {
  readonly port: number;
  /** Stops looking and reading, says NOT_SERVING, and frees the port; the mesh stays. Closing twice is the same as once. */
  close(): Promise<void>;
};

/**
 * Starts the operator: makes the mesh, then keeps it so and reads its dead letters until it is closed. When an
 * engine is away it goes on trying, and health says NOT_SERVING.
 * @throws PortInUseError, or MeshRefusedError if another mesh lives there.
 */
export async function startOperator(
  config: OperatorConfig,
  dependencies: OperatorDependencies,
): Promise<Operator> {
  const { logger, image, metrics } = dependencies;
  const pace = { ...operatorPace, ...dependencies.pace };
  const mesh = meshOf(config);
  const health = createHealth([]);
  health.setServing(false);
  const reflection = createReflection({ image, services: [] });
  const seen: Seen = { sight: undefined, deadLetters: undefined };
  if (metrics) {
    registerOperatorMetrics(metrics, {
      connectors: connectorDefinitions(mesh).map(({ name }) => name),
      sight: () => seen.sight,
      deadLetters: () => seen.deadLetters?.counts() ?? noDeadLetters,
    });
  }
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
  });
  const engines = openEngines(enginesOf(config), mesh.names.database);
  const stopping = new AbortController();
  const run = { engines, mesh, pace, logger, signal: stopping.signal };
  const made = makeMesh(run);
  const kept = made.then(() => keepMesh({ ...run, seen, health, clock: dependencies.clock }));
  kept.catch((error: unknown) => {
    if (!stopping.signal.aborted) logger.fatal({ error }, "the mesh cannot be made");
  });

  async function shutDown(): Promise<void> {
    stopping.abort();
    await Promise.allSettled([kept]);
    await engines[Symbol.asyncDispose]();
    await server.close();
  }
  let closing: Promise<void> | undefined;
  function close(): Promise<void> {
    closing ??= shutDown();
    return closing;
  }

  const late = await within(made, { ms: pace.firstMs, what: "the mesh" }).catch((error: unknown) => error);
  if (late instanceof MeshRefusedError) {
    await close();
    throw late;
  }
  return { port: server.port, close, [Symbol.asyncDispose]: close };
}

type Run = {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly pace: OperatorPace;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** What was seen last, for whoever asks in between. */
type Seen = { sight: OperatorSight; deadLetters: Pick<DeadLetters, "counts"> | undefined };

const noDeadLetters = { duplicate: 0, conflict: 0, redelivery: 0, invalid: 0 } as const;

/** Resolves when everything is made; tries again for as long as an engine is away. */
async function makeMesh({ engines, mesh, pace, logger, signal }: Run): Promise<void> {
  for (let waitMs = pace.retryMs; ; waitMs = Math.min(waitMs * 2, pace.retryMs * 10)) {
    signal.throwIfAborted();
    try {
      await applyParts(await inspectMesh(engines, mesh), ({ what, difference }) =>
        logger.info({ part: what, difference }, "made"),
      );
      return;
    } catch (error) {
      if (error instanceof MeshRefusedError) throw error;
      logger.warn({ error }, "the mesh is not made yet; it is tried again");
    }
    await delay(waitMs, undefined, { signal });
  }
}

/** Looks after the mesh until the signal. */
async function keepMesh(
  run: Run & {
    readonly seen: Seen;
    readonly health: ReturnType<typeof createHealth>;
    readonly clock: () => number;
  },
): Promise<void> {
  const { engines, mesh, pace, logger, signal, seen, health, clock } = run;
  const store = createMongoOperatorStore(engines.db);
  const upkeep = createUpkeep({ engines, mesh, store, pace, now: () => performance.now(), logger });
  await using deadLetters = startDeadLetters({ engines, mesh, logger, retryMs: pace.retryMs });
  seen.deadLetters = deadLetters;
  let known = "";
  while (!signal.aborted) {
    const status = await upkeep.look();
    const problems = [...status.problems, ...deadLetters.problems()];
    try {
      const document = { _id: "operator", updated: new Date(clock()), ...status, problems } as const;
      await within(store.writeStatus(document), { ms: pace.answerMs, what: "MongoDB" });
    } catch (error) {
      problems.push(`the status could not be written: ${error instanceof Error ? error.message : error}`);
    }
    if (signal.aborted) return;
    seen.sight = { ...status, problems };
    health.setServing(problems.length === 0);
    const told = problems.join("\n");
    if (told !== known) logger.warn({ problems }, problems.length === 0 ? "all is well again" : "problems");
    known = told;
    await delay(pace.lookEveryMs, undefined, { signal }).catch(() => {});
  }
}
