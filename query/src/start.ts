import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import type { UserGate } from "@devicemesh/identity";
import { addHealthRoutes } from "@devicemesh/kit/health/connect-health";
import { createHealth, type Health } from "@devicemesh/kit/health/health";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { type ConnectCounting, createConnectCounting } from "@devicemesh/kit/observability/metrics-connect";
import { createConnectHandler } from "@devicemesh/kit/rpc/connect-handler";
import { addReflectionRoutes } from "@devicemesh/kit/rpc/connect-reflection";
import {
  createErrorInterceptor,
  createRequestGate,
  toConnectError,
} from "@devicemesh/kit/rpc/connect-status";
import { createReflection } from "@devicemesh/kit/rpc/reflection";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { contractJson } from "@devicemesh/kit/rpc/requests/json-requests";
import type { AddressOf } from "@devicemesh/kit/rpc/requests/rejected-requests";
import { createValidationInterceptor } from "@devicemesh/kit/rpc/requests/request-validation";
import { loopbackHosts } from "@devicemesh/kit/server/hosts";
import { createHttpRoutes, type HttpRoute } from "@devicemesh/kit/server/http-routes";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { createSensorCatalog, type SensorCatalog } from "@devicemesh/proto";
import packageJson from "../package.json" with { type: "json" };
import { allowOrigins } from "./api/cross-origin.ts";
import { queryRoutes } from "./api/routes.ts";
import { createCallLimits, stoppingError } from "./api/service.ts";
import { createExportAdmission } from "./export/export-admission.ts";
import { exportsMax } from "./export/export-limits.ts";
import { exportRoutes } from "./export/http/export-routes.ts";
import { createExportSpool } from "./export/http/export-spool.ts";
import type { QueryConfig } from "./limits.ts";
import { registerQueryMetrics } from "./metrics.ts";
import type { ReadingStore } from "./store/reading-store.ts";

/** The dependencies of query. The caller owns the store: close it after query. */
export type QueryDependencies = {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly logger: Logger;
  /** The contract as a FileDescriptorSet in bytes, for reflection. */
  readonly image: Uint8Array;
  /** The initial health; true by default. */
  readonly serving?: boolean;
  /**
   * Further services on the same port, which health and reflection list too. Query's access control, limits and
   * validation apply to them, unless a route has options of its own: such a route counts its calls with `counting`.
   */
  readonly extraRoutes?: (router: ConnectRouter, counting: CallCounting) => void;
  /** Further resources on the same port, each behind its own gate (`access.http`). */
  readonly httpRoutes?: readonly HttpRoute[] | undefined;
  /** The sensors with the units in answers; the built-in catalog by default. */
  readonly catalog?: SensorCatalog | undefined;
  /** Admits or rejects the calls of every service on the port. All are admitted if left out. */
  readonly access?: UserGate | undefined;
  /** Serves TLS; cleartext if left out. */
  readonly tls?: TlsTermination | undefined;
  /** The registry for query's metrics; none if left out. */
  readonly metrics?: Metrics | undefined;
  /** The addresses of services that query does not have, for clients that call them here. */
  readonly addressOf?: AddressOf | undefined;
  /** The incomplete requests of the process, if it has more than one server. */
  readonly unfinished?: UnfinishedRequests | undefined;
};

/** Counts the calls of a service that does not use query's interceptors and gate. */
export type CallCounting = {
  readonly interceptors: readonly Interceptor[];
  readonly onRejected: ConnectCounting["rejected"] | undefined;
};

/** Query, listening. */
export type Query = AsyncDisposable & {
  readonly port: number;
  /** Sets the health until query closes; queries are answered if possible. */
  setServing(serving: boolean): void;
  /**
   * Reports NOT_SERVING, ends watches without an error, rejects new calls with UNAVAILABLE, lets running calls finish
   * within `shutdownGraceMs` and cuts the rest with UNAVAILABLE. Closing again has no effect.
   */
  close(): Promise<void>;
};

/** The share of the grace period after which running calls get an error, so that they receive it before the cut. */
const cutAfterGrace = 0.7;

/**
 * Starts query: Connect, gRPC and gRPC-Web over HTTP/1.1 and HTTP/2 on one port.
 * @throws PortInUseError if the port is in use.
 */
export async function startQuery(config: QueryConfig, dependencies: QueryDependencies): Promise<Query> {
  const { clock, logger, image, extraRoutes, access, tls, metrics, addressOf } = dependencies;
  let isStoreReachable = dependencies.serving ?? true;
  let watchers = 0;
  const counting = metrics && createConnectCounting(metrics.rpc);
  const counted =
    metrics &&
    registerQueryMetrics(metrics, {
      watchers: () => watchers,
      isStoreReachable: () => isStoreReachable,
    }).counted;
  const store = counted?.(dependencies.store) ?? dependencies.store;
  const { catalog = createSensorCatalog() } = dependencies;
  const exportAdmission = createExportAdmission(exportsMax);
  const stopping = new AbortController();
  const cutting = new AbortController();
  const addServices = queryRoutes({
    store,
    clock,
    catalog,
    ...(config.pageTokenSecret && { pageTokenKey: Buffer.from(config.pageTokenSecret) }),
    versions: { "device-mesh": packageJson.version, node: process.versions.node },
    limits: config,
    onWatches(running) {
      watchers = running;
    },
    exportAdmission,
    stopping: stopping.signal,
  });
  const spool = createExportSpool();
  const exports = exportRoutes({
    store,
    clock,
    gate: access?.http,
    admission: exportAdmission,
    unitOf: catalog.unitOf,
    spool,
    onCut: (error) => logger.warn({ error }, "an export was cut"),
  });
  let health: Health | undefined;

  const adapter = createConnectHandler({
    logger,
    routes(router) {
      addServices(router);
      extraRoutes?.(router, {
        interceptors: counting === undefined ? [] : [counting.interceptor],
        onRejected: counting?.rejected,
      });
      const services = [...new Set(router.handlers.map(({ service }) => service.typeName))];
      health = createHealth(services);
      health.setServing(isStoreReachable);
      addHealthRoutes(router, health);
      const reflected = [...services, ...(config.reflectServices ?? [])];
      addReflectionRoutes(router, createReflection({ image, services: reflected }));
      counting?.know(router);
    },
    interceptors: [
      ...(counting === undefined ? [] : [counting.interceptor]),
      createErrorInterceptor({ logger }),
      ...(access === undefined ? [] : [access.interceptor]),
      createCallLimits({
        timeoutMs: config.callTimeoutMs,
        callsMax: config.callsMax,
        stopping: stopping.signal,
      }),
      createValidationInterceptor(),
    ],
    jsonOptions: contractJson,
    readMaxBytes: config.readMaxBytes,
    writeMaxBytes: config.writeMaxBytes,
    shutdownSignal: cutting.signal,
    gate: access && createRequestGate(access.check, { logger, onRejected: counting?.rejected }),
    hosts: config.hosts ?? (access === undefined ? loopbackHosts : "*"),
    addressOf,
    unfinished: dependencies.unfinished,
    fallback: createHttpRoutes([...exports, ...(dependencies.httpRoutes ?? [])], {
      onError: (error) => logger.error({ error }, "a request for a resource failed"),
    }),
  });

  let cutTimer: NodeJS.Timeout | undefined;
  const server = await startOnePortServer({
    host: config.host,
    port: config.port,
    limits: config.connections,
    handler: allowOrigins(config.corsOrigins, adapter),
    tls,
    shutdownGraceMs: config.shutdownGraceMs,
    onClosing() {
      health?.close();
      stopping.abort();
      cutTimer = setTimeout(
        () => cutting.abort(toConnectError(stoppingError())),
        config.shutdownGraceMs * cutAfterGrace,
      );
    },
    onError: (error) => logger.debug({ error }, "connection broke"),
  });

  const close = closeOnce(async () => {
    await server.close();
    await spool[Symbol.asyncDispose]();
    clearTimeout(cutTimer);
  });
  return {
    port: server.port,
    setServing(isServing) {
      isStoreReachable = isServing;
      health?.setServing(isServing);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
