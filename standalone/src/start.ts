import { resolve } from "node:path";
import type { IngestTls } from "@devicemesh/client";
import {
  createGenerator,
  type Generator,
  generatorRoutes,
  registerGeneratorMetrics,
} from "@devicemesh/generator";
import { openHttpGate } from "@devicemesh/identity";
import { type Ingest, ingestConfig, startIngest } from "@devicemesh/ingest";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { type Query, queryConfig, type StoreStatus, startQuery } from "@devicemesh/query";
import { createDiskReserve } from "@devicemesh/store-duckdb/disk-reserve";
import { registerStoreMetrics } from "@devicemesh/store-duckdb/metrics";
import { openRecoveringStore } from "@devicemesh/store-duckdb/recovering-store";
import { openAccess } from "./access.ts";
import { localAddressOf } from "./address.ts";
import { createFailureLog } from "./failure-log.ts";
import { openHttpResources } from "./http-resources.ts";
import { startMaintenance } from "./maintenance.ts";
import { type EmbeddedConfig, retentionOf } from "./settings.ts";

/** The whole mesh in one process, running. */
export type Embedded = AsyncDisposable & {
  /** host:port of ingest, as reached from this machine. */
  readonly ingest: string;
  /** host:port of query, as reached from this machine. */
  readonly query: string;
  /** The data folder, in full. */
  readonly folder: string;
  /** What it held when the process started. */
  readonly found: Pick<StoreStatus, "storedReadings" | "series" | "logEndMs">;
  readonly generator: Generator;
  /** How the generator, and a replay, reach ingest; in cleartext if undefined. */
  readonly generatorTls: IngestTls | undefined;
  /** Ends it all within 2 s with everything acknowledged durable. Closing twice is the same as once. */
  close(): Promise<void>;
};

/** What the process gives. */
export type EmbeddedDependencies = {
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Gets what all parts count, if somebody wants it. */
  readonly metrics?: Metrics | undefined;
};

// Together below the 2 s in which Ctrl-C must end: the outbox, the open units, the open questions.
const statusLimitMs = 30_000;
const graceMs = { generator: 500, ingest: 500, query: 300 } as const;

/**
 * Starts store, ingest, query and generator in this process.
 * @throws StoreOpenError if the store is in use or cannot be opened; PortInUseError if a port is taken;
 *   RangeError if the retention settings contradict each other; SettingsError if those of identity do.
 */
export async function startEmbedded(
  config: EmbeddedConfig,
  { logger, clock, metrics }: EmbeddedDependencies,
): Promise<Embedded> {
  await using starting = new AsyncDisposableStack();
  const folder = resolve(config.data);
  const image = readContractImage();
  const unfinished = createUnfinishedRequests();
  const access = starting.use(openAccess(config, { logger, clock }));
  const { generatorTls } = access;
  let refused = () => 0;
  const onFailure = createFailureLog({ logger });
  const reserve = createDiskReserve({
    folder,
    minFreeBytes: config.minFree,
    onChange: (state, text) => logger[state === "full" ? "error" : "warn"](text),
  });
  if (metrics) registerStoreMetrics(metrics, reserve);
  const store = starting.use(
    await openRecoveringStore({
      folder,
      clock,
      retention: retentionOf(config),
      duplicatesPerHour: config.maxDuplicates,
      onFailure,
      refused: () => refused(),
      reserve,
      seriesLimits: { max: config.maxSeries, maxPerPublisher: config.maxSeriesPerPublisher },
      onRecovery(event) {
        if (event.kind === "reopened")
          logger.warn("the database was reopened; no acknowledged reading is lost");
        else if (event.kind === "waiting")
          logger.error({ error: event.error }, "the store cannot be opened; retrying every second");
        else logger.error({ error: event.error }, "the engine invalidated the database; reopening it");
      },
    }),
  );
  starting.use(
    startMaintenance({
      maintain: store.maintain,
      onFailure: (error) => onFailure("maintenance failed", error),
    }),
  );
  const found = await store.readings.readStatus(AbortSignal.timeout(statusLimitMs));
  const ingest: Ingest = starting.use(
    await startIngest(
      ingestConfig({ host: config.host, port: config.ingestPort, shutdownGraceMs: graceMs.ingest }),
      {
        log: store.log,
        clock,
        logger,
        image,
        retainedSinceMs: store.earliestAcceptedMs,
        admitSeries: store.admitSeries,
        admitOlder: store.admitOlder,
        identityOf: access.devices.identityOf,
        tls: access.devices.tls,
        addressOf: (service) => addresses().get(service),
        unfinished,
        metrics,
      },
    ),
  );
  const addresses = (): ReadonlyMap<string, string> =>
    new Map([
      [IngestService.typeName, localAddressOf(config.host, ingest.port)],
      ...[QueryService, GeneratorService].map(
        ({ typeName }) => [typeName, localAddressOf(config.host, query.port)] as const,
      ),
    ]);
  refused = () => ingest.stats().refused;
  const generator = createGenerator({
    target: localAddressOf(config.host, ingest.port),
    tls: generatorTls,
    devicePrefix: config.generatorPrefix,
    logger,
  });
  if (metrics) registerGeneratorMetrics(metrics, generator);
  starting.defer(() => generator.close({ limitMs: graceMs.generator }));
  const resources = starting.use(
    openHttpResources({
      config,
      gate: access.users.gate?.http ?? openHttpGate,
      isGuarded: access.users.gate !== undefined,
      store: store.readings,
      ingest: localAddressOf(config.host, ingest.port),
      ingestTls: generatorTls,
      logger,
      clock,
      unfinished,
      metrics,
      webFacts: () => ({
        ingest: localAddressOf(config.host, ingest.port),
        query: localAddressOf(config.host, query.port),
        generator: localAddressOf(config.host, query.port),
        // The page itself needs no token: where calls do, it does not tell strangers where files are.
        data: access.users.gate === undefined ? folder : "a folder of the server",
        dataKind: "one file; it survives a crash with every acknowledged reading",
        secure: access.users.tls !== undefined,
        signIn: access.users.gate !== undefined,
      }),
    }),
  );
  const query: Query = starting.use(
    await startQuery(
      queryConfig({
        host: config.host,
        port: config.queryPort,
        ...(config.insecureBeyondLoopback && { hosts: "*" }),
        corsOrigins: (config.corsOrigin ?? "").split(",").filter((origin) => origin !== ""),
        shutdownGraceMs: graceMs.query,
      }),
      {
        store: store.readings,
        clock,
        logger,
        image,
        extraRoutes: generatorRoutes(generator),
        access: access.users.gate,
        addressOf: (service) => addresses().get(service),
        unfinished,
        tls: access.users.tls,
        metrics,
        httpRoutes: resources.routes,
      },
    ),
  );
  const running = starting.move();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    // In reverse: query, then the generator (its outbox is delivered), then ingest, then the store.
    closing ??= running.disposeAsync();
    return closing;
  };
  return {
    ingest: localAddressOf(config.host, ingest.port),
    query: localAddressOf(config.host, query.port),
    folder,
    found,
    generator,
    generatorTls,
    close,
    [Symbol.asyncDispose]: close,
  };
}
