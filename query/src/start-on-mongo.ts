import { openUserAccess } from "@devicemesh/identity";
import { cancelledAfter } from "@devicemesh/kit/async/time-limit";
import { createDependencies } from "@devicemesh/kit/health/dependency-health";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { connectionLimitsOf } from "@devicemesh/kit/settings/connection-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";

import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { webRoutes } from "@devicemesh/web";
import { latestReadings } from "./api/latest-readings.ts";
import { queryConfig } from "./limits.ts";
import type { QuerySettings } from "./settings.ts";
import { type Query, startQuery } from "./start.ts";
import { createMongoReadingStore } from "./store/mongo/mongo-reading-store.ts";
import { watchReach } from "./store/store-reachability.ts";

/**
 * Maximum number of connections to the database: for all concurrent large reads with their pipelines, and for the small
 * ones.
 */
const connectionsMax = 64;

/** How long to wait for the current connection attempt, in ms: longer than one takes. */
const attemptMaxMs = 5000;

/**
 * Starts query over MongoDB. It listens at once, reports NOT_SERVING while the database is unreachable or the mesh is
 * not prepared or has other units than the sensor catalog, and answers UNAVAILABLE meanwhile.
 * @throws PortInUseError if the port is taken; SettingsError if the settings of identity or sensors are wrong; what the
 *   driver throws if the connection string is none.
 */
export async function startQueryProcess(
  settings: QuerySettings,
  {
    logger,
    clock,
    metrics,
  }: {
    readonly logger: Logger;
    readonly clock: () => number;
    readonly metrics?: Metrics | undefined;
  },
): Promise<Query> {
  await using starting = new AsyncDisposableStack();
  const {
    host,
    mongodbUrl,
    mongodbDatabase,
    pageTokenSecret,
    corsOrigin = "",
    reflectServices = "",
  } = settings;
  const catalog = openSensorCatalog(settings);
  const access = starting.use(openUserAccess(settings, { logger, clock }));
  const connection = starting.use(
    openMongo({
      url: mongodbUrl,
      database: mongodbDatabase,
      appName: "devicemesh-query",
      poolMax: connectionsMax,
    }),
  );
  const store = createMongoReadingStore({ db: connection.db, clock, sensors: catalog.sensors });
  starting.defer(() => store.close());
  const addresses = new Map([
    [IngestService.typeName, settings.ingestAddress],
    [GeneratorService.typeName, settings.generatorAddress],
  ]);
  const query: Query = starting.use(
    await startQuery(
      queryConfig({
        host,
        port: settings.port,
        connections: connectionLimitsOf(settings),
        ...(settings.insecureBeyondLoopback && { hosts: "*" }),
        corsOrigins: listOf(corsOrigin),
        reflectServices: listOf(reflectServices),
        pageTokenSecret,
      }),
      {
        store,
        clock,
        catalog,
        logger,
        image: readContractImage(),
        serving: false,
        access: access.gate,
        tls: access.tls,
        addressOf: (service) => addresses.get(service),
        metrics,
        httpRoutes: webRoutes({
          facts: () => ({
            ingest: settings.ingestAddress,
            query: `${host}:${query.port}`,
            generator: settings.generatorAddress,
            data: mongodbDatabase,
            dataKind: "a database of MongoDB, filled through Kafka and Spark",
            secure: access.tls !== undefined,
            signIn: access.gate !== undefined,
          }),
          readLatest: access.gate === undefined ? latestReadings(store, catalog.unitOf) : undefined,
        }),
      },
    ),
  );
  const waiting = createDependencies<"mongodb">({ logger });
  starting.use(
    watchReach(
      {
        async readHorizon(signal) {
          try {
            const limit = { ms: attemptMaxMs, what: "MongoDB", signal };
            // Logs why there is no first connection; the store's own error only states that there is none.
            await cancelledAfter(() => connection.connected(), limit);
            const horizon = await store.readHorizon(signal);
            waiting.available("mongodb");
            return horizon;
          } catch (error) {
            if (!signal.aborted) waiting.unavailable("mongodb", error);
            throw error;
          }
        },
      },
      { onChange: (error) => query.setServing(error === undefined) },
    ),
  );
  const running = starting.move();
  const close = closeOnce(() => running.disposeAsync());
  return { ...query, close, [Symbol.asyncDispose]: close };
}
