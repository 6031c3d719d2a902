import { type IngestTls, systemClock } from "@devicemesh/client";
import { createSensorLookup, openConfiguredGateway } from "@devicemesh/gateway";
import type { HttpGate, SenderAccess } from "@devicemesh/identity";
import { importRoutes } from "@devicemesh/import";
import type { PublishInProcess } from "@devicemesh/ingest";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import { listOf } from "@devicemesh/kit/settings/list-of";
import type { SensorCatalog } from "@devicemesh/proto";
import { latestReadings, type ReadingStore } from "@devicemesh/query";
import { type WebFacts, webRoutes } from "@devicemesh/web";
import { sampleYearRoute } from "./first-minute/sample-year.ts";
import { createLocalSender } from "./local-sender.ts";
import type { EmbeddedConfig } from "./settings.ts";

/** The dependencies of the HTTP resources. */
export type HttpResourcesOptions = {
  readonly config: EmbeddedConfig;
  /** Guards each route that needs a token; it admits every request if authentication is off. */
  readonly gate: HttpGate;
  /** Whether calls need a token. */
  readonly isGuarded: boolean;
  readonly catalog: SensorCatalog;
  readonly store: ReadingStore;
  /** host:port of ingest, for workspaces that send readings. */
  readonly ingest: string;
  /** TLS for ingest; cleartext if undefined. */
  readonly ingestTls: IngestTls | undefined;
  /** Sends readings of authenticated senders, without the network. */
  readonly publish: PublishInProcess;
  /** Identifies senders over HTTP and MQTT. */
  readonly senders: SenderAccess;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly unfinished: UnfinishedRequests;
  readonly metrics: Metrics | undefined;
  /** The facts for the dashboard; called for each response, because the ports are known late. */
  readonly webFacts: () => WebFacts;
};

/**
 * The resources beside the RPCs, and their open parts. Close them after the server, and before ingest and the store.
 */
export type HttpResources = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
  /** The port of the MQTT broker, if there is one. */
  readonly mqttPort: number | undefined;
};

/**
 * Opens the HTTP resources of all workspaces: one line of `routes` for each; parts that must be closed are added to
 * `opened`.
 */
export async function openHttpResources(options: HttpResourcesOptions): Promise<HttpResources> {
  const { config, catalog, store, isGuarded, webFacts } = options;
  const opened = new AsyncDisposableStack();
  const gateway = opened.use(
    await openConfiguredGateway(config, {
      ...options,
      sender: createLocalSender(options.publish),
      lookup: createSensorLookup(catalog),
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
    mqttPort: gateway.mqttPort,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
