import { type IngestTls, systemClock } from "@devicemesh/client";
import { createSensorLookup, openGateway } from "@devicemesh/gateway";
import type { HttpGate } from "@devicemesh/identity";
import { importRoutes } from "@devicemesh/import";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { SensorCatalog } from "@devicemesh/proto";
import { latestReadings, type ReadingStore } from "@devicemesh/query";
import { type WebFacts, webRoutes } from "@devicemesh/web";
import { sampleYearRoute } from "./first-minute/sample-year.ts";
import type { EmbeddedConfig } from "./settings.ts";

/** What the rooms make their resources from. */
export type HttpResourcesOptions = {
  readonly config: EmbeddedConfig;
  /** Guards each route that needs a token; it admits every request where authentication is off. */
  readonly gate: HttpGate;
  /** Whether calls need a token. */
  readonly isGuarded: boolean;
  readonly catalog: SensorCatalog;
  readonly store: ReadingStore;
  /** host:port of ingest, for rooms that send readings. */
  readonly ingest: string;
  /** How they reach it; in cleartext if undefined. */
  readonly ingestTls: IngestTls | undefined;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly unfinished: UnfinishedRequests;
  readonly metrics: Metrics | undefined;
  /** What the dashboard tells; requested for each response, because the ports are known late. */
  readonly webFacts: () => WebFacts;
};

/** The resources beside the RPCs, and what they hold. Close them after the server, and before ingest and the store. */
export type HttpResources = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
};

/** Opens the HTTP resources of all rooms: one line of `routes` for each; what a room has to close goes into `opened`. */
export function openHttpResources(options: HttpResourcesOptions): HttpResources {
  const { config, catalog, store, isGuarded, webFacts } = options;
  const opened = new AsyncDisposableStack();
  const gateway = opened.use(
    openGateway({
      ...options,
      tls: options.ingestTls,
      lookup: createSensorLookup(catalog),
      origins: listOf(config.corsOrigin),
      deviceTags: listOf(config.lineDeviceTags),
    }),
  );
  const imports = importRoutes({
    ingest: options.ingest,
    tls: options.ingestTls,
    catalog,
    clock: systemClock,
    origins: listOf(config.corsOrigin),
    // It stores readings of any device.
  }).map((route) => options.gate.guard("devicemesh.operate", route));
  return {
    routes: [
      ...gateway.routes,
      ...imports,
      ...(isGuarded ? [] : [sampleYearRoute({ target: options.ingest, tls: options.ingestTls })]),
      ...webRoutes({
        facts: webFacts,
        readLatest: isGuarded ? undefined : latestReadings(store, catalog.unitOf),
      }),
    ],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function listOf(text = ""): string[] {
  return text.split(",").filter((part) => part !== "");
}
