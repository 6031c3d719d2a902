import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import type { SensorCatalog } from "@devicemesh/proto";
import { createDiskReserve } from "@devicemesh/store-duckdb/admission";
import type { EmbeddedStore } from "@devicemesh/store-duckdb/duckdb-store";
import { registerStoreMetrics } from "@devicemesh/store-duckdb/metrics";
import { openRecoveringStore } from "@devicemesh/store-duckdb/recovering-store";
import { createFailureLog } from "./failure-log.ts";
import { startMaintenance } from "./maintenance.ts";
import { type EmbeddedConfig, retentionOf } from "./settings.ts";

/**
 * Opens the store in a folder and maintains it until it is closed.
 * @throws StoreOpenError if it is in use or cannot be opened, or the unit of a stored sensor has changed; RangeError if
 * the retention settings contradict each other.
 */
export async function openStore(
  config: EmbeddedConfig,
  {
    folder,
    clock,
    catalog,
    logger,
    metrics,
    refused,
  }: {
    readonly folder: string;
    /** Milliseconds since 1970. */
    readonly clock: () => number;
    readonly catalog: SensorCatalog;
    readonly logger: Logger;
    readonly metrics: Metrics | undefined;
    /** Number of readings that ingest has rejected. */
    readonly refused: () => number;
  },
): Promise<EmbeddedStore> {
  await using opening = new AsyncDisposableStack();
  const onFailure = createFailureLog({ logger });
  const reserve = createDiskReserve({
    folder,
    minFreeBytes: config.minFree,
    onChange: (state, text) => logger[state === "full" ? "error" : "warn"](text),
  });
  if (metrics) registerStoreMetrics(metrics, reserve);
  const store = opening.use(
    await openRecoveringStore({
      folder,
      clock,
      catalog,
      retention: retentionOf(config),
      duplicatesPerHour: config.maxDuplicates,
      onFailure,
      refused,
      reserve,
      seriesLimits: { max: config.maxSeries, maxPerPublisher: config.maxSeriesPerPublisher },
      onRecovery(event) {
        if (event.kind === "reopened") {
          logger.warn("the database was reopened; no acknowledged reading is lost");
        } else if (event.kind === "waiting") {
          logger.error({ error: event.error }, "the store cannot be opened; retrying every second");
        } else {
          const what = "the engine invalidated the database, or failed in it; reopening it";
          logger.error({ error: event.error }, what);
        }
      },
    }),
  );
  opening.use(
    startMaintenance({
      maintain: store.maintain,
      onFailure: (error) => onFailure("maintenance failed", error),
    }),
  );
  const opened = opening.move();
  const close = () => opened.disposeAsync();
  return { ...store, close, [Symbol.asyncDispose]: close };
}
