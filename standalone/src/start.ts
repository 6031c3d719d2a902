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
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { connectionLimitsOf } from "@devicemesh/kit/settings/connection-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { type Query, queryConfig, type StoreStatus, startQuery } from "@devicemesh/query";
import { openAccess } from "./access.ts";
import { localAddressOf } from "./address.ts";
import { openHttpResources } from "./http-resources.ts";
import { graceMs, statusLimitMs } from "./limits.ts";
import { openStore } from "./open-store.ts";
import type { EmbeddedConfig } from "./settings.ts";

/** The whole mesh in one process, running. */
export type Embedded = AsyncDisposable & {
  /** host:port of the separate ingest server, for clients on this machine. */
  readonly ingest: string;
  /** host:port of query and everything else, for clients on this machine. */
  readonly query: string;
  /** Whether that address accepts readings too. */
  readonly isOneAddress: boolean;
  /** host:port of the MQTT broker, if there is one. */
  readonly mqtt: string | undefined;
  /** The full path of the data folder. */
  readonly folder: string;
  /** The contents of the store when the process started. */
  readonly found: Pick<StoreStatus, "storedReadings" | "series" | "logEndMs">;
  readonly generator: Generator;
  /** TLS of the generator, and of a replay, for ingest; cleartext if undefined. */
  readonly generatorTls: IngestTls | undefined;
  /** Ends everything within 2 s; all acknowledged readings are durably stored. Closing again has no effect. */
  close(): Promise<void>;
};

/** The dependencies on the process. */
export type EmbeddedDependencies = {
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The registry for the metrics of all parts; none if left out. */
  readonly metrics?: Metrics | undefined;
};

/**
 * Starts store, ingest, query and generator in this process.
 * @throws StoreOpenError if the store is in use or cannot be opened; PortInUseError if a port is taken;
 *   RangeError if the retention settings contradict each other; SettingsError if those of identity do, or if the
 *   file of sensors cannot be used.
 */
export async function startEmbedded(
  config: EmbeddedConfig,
  { logger, clock, metrics }: EmbeddedDependencies,
): Promise<Embedded> {
  await using starting = new AsyncDisposableStack();
  const catalog = openSensorCatalog(config);
  const folder = resolve(config.data);
  const image = readContractImage();
  const unfinished = createUnfinishedRequests();
  const access = starting.use(openAccess(config, { logger, clock }));
  const { generatorTls } = access;
  const at = (port: number): string => localAddressOf(config.host, port);
  let refused = () => 0;
  const store = starting.use(
    await openStore(config, { folder, clock, catalog, logger, metrics, refused: () => refused() }),
  );
  const found = await store.readings.readStatus(AbortSignal.timeout(statusLimitMs));
  const ingest: Ingest = starting.use(
    await startIngest(
      ingestConfig({
        host: config.host,
        port: config.ingestPort,
        connections: connectionLimitsOf(config),
        shutdownGraceMs: graceMs.ingest,
      }),
      {
        log: store.log,
        clock,
        catalog,
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
  // With tokens or certificates, the users' port accepts no readings: devices have no token, and a browser no
  // certificate.
  const isOneAddress = access.users.gate === undefined && access.devices.identityOf === undefined;
  const addresses = (): ReadonlyMap<string, string> =>
    new Map([
      [IngestService.typeName, at(ingest.port)],
      ...[QueryService, GeneratorService].map(({ typeName }) => [typeName, at(query.port)] as const),
    ]);
  refused = () => ingest.stats().refused;
  const generator = createGenerator({
    target: at(ingest.port),
    tls: generatorTls,
    devicePrefix: config.generatorPrefix,
    logger,
  });
  if (metrics) registerGeneratorMetrics(metrics, generator);
  starting.defer(() => generator.close({ limitMs: graceMs.generator }));
  const resources = starting.use(
    await openHttpResources({
      config,
      catalog,
      gate: access.users.gate?.http ?? openHttpGate,
      isGuarded: access.users.gate !== undefined,
      store: store.readings,
      ingest: at(ingest.port),
      ingestTls: generatorTls,
      publish: ingest.publishInProcess,
      senders: access.senders,
      logger,
      clock,
      unfinished,
      metrics,
      webFacts: () => ({
        ingest: at(isOneAddress ? query.port : ingest.port),
        query: at(query.port),
        generator: at(query.port),
        // The page itself needs no token; if calls need one, it does not show paths to strangers.
        data: access.users.gate === undefined ? folder : "a folder of the server",
        dataKind: "one file; it survives a crash with every acknowledged reading",
        secure: access.users.tls !== undefined,
        signIn: access.users.gate !== undefined,
        sampleYear: access.users.gate === undefined,
        imports: true,
      }),
    }),
  );
  const query: Query = starting.use(
    await startQuery(
      queryConfig({
        host: config.host,
        port: config.queryPort,
        connections: connectionLimitsOf(config),
        ...(config.insecureBeyondLoopback && { hosts: "*" }),
        corsOrigins: listOf(config.corsOrigin),
        shutdownGraceMs: graceMs.query,
      }),
      {
        store: store.readings,
        clock,
        catalog,
        logger,
        image,
        extraRoutes(router, counting) {
          generatorRoutes(generator)(router);
          if (isOneAddress) ingest.routes(router, counting);
        },
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
  // In reverse order: query, then the generator (its outbox is delivered), then ingest, then the store.
  const close = closeOnce(() => running.disposeAsync());
  return {
    ingest: at(ingest.port),
    query: at(query.port),
    isOneAddress,
    mqtt: resources.mqttPort === undefined ? undefined : at(resources.mqttPort),
    folder,
    found,
    generator,
    generatorTls,
    close,
    [Symbol.asyncDispose]: close,
  };
}
