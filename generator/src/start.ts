import type { UserGate } from "@devicemesh/identity";
import { addHealthRoutes } from "@devicemesh/kit/health/connect-health";
import { createHealth } from "@devicemesh/kit/health/health";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { createConnectCounting } from "@devicemesh/kit/observability/metrics-connect";
import { createConnectHandler } from "@devicemesh/kit/rpc/connect-handler";
import { addReflectionRoutes } from "@devicemesh/kit/rpc/connect-reflection";
import { createErrorInterceptor, createRequestGate } from "@devicemesh/kit/rpc/connect-status";
import { createReflection } from "@devicemesh/kit/rpc/reflection";
import { contractJson } from "@devicemesh/kit/rpc/requests/json-requests";
import { createValidationInterceptor } from "@devicemesh/kit/rpc/requests/request-validation";
import { type AllowedHosts, loopbackHosts } from "@devicemesh/kit/server/hosts";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import type { RunningServer } from "@devicemesh/kit/server/running-server";
import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import type { Generator } from "./generator.ts";
import { readBytesMax, shutdownGraceMs } from "./limits.ts";
import { registerGeneratorMetrics } from "./metrics.ts";
import { generatorRoutes } from "./serve/routes.ts";

/** The service's name in the contract. */
const serviceName = "devicemesh.v1.GeneratorService";

/**
 * Serves GeneratorService, health and reflection over Connect, gRPC and gRPC-Web on one port. The caller owns the
 * generator: close it after the server.
 * @throws PortInUseError if the port is in use.
 */
export async function serveGenerator(
  {
    host,
    port,
    hosts,
  }: {
    readonly host: string;
    readonly port: number;
    /** Accepted host names; those of loopback by default if there is no access control, otherwise any. */
    readonly hosts?: AllowedHosts | undefined;
  },
  dependencies: {
    readonly generator: Generator;
    readonly logger: Logger;
    /** The contract as a FileDescriptorSet in bytes, for reflection. */
    readonly image: Uint8Array;
    /** Admits or rejects calls. All are admitted if left out. */
    readonly access?: UserGate | undefined;
    /** Serves TLS; cleartext if left out. */
    readonly tls?: TlsTermination | undefined;
    /** The registry for the metrics of the generator and its server; none if left out. */
    readonly metrics?: Metrics | undefined;
  },
): Promise<RunningServer> {
  const { generator, logger, image, access, tls, metrics } = dependencies;
  if (metrics) registerGeneratorMetrics(metrics, generator);
  const counting = metrics && createConnectCounting(metrics.rpc);
  const services = [serviceName];
  const health = createHealth(services);
  return await startOnePortServer({
    host,
    port,
    tls,
    handler: createConnectHandler({
      logger,
      hosts: hosts ?? (access === undefined ? loopbackHosts : "*"),
      gate: access && createRequestGate(access.check, { logger, onRejected: counting?.rejected }),
      routes(router) {
        generatorRoutes(generator)(router);
        addHealthRoutes(router, health);
        addReflectionRoutes(router, createReflection({ image, services }));
        counting?.know(router);
      },
      interceptors: [
        ...(counting === undefined ? [] : [counting.interceptor]),
        createErrorInterceptor({ logger }),
        ...(access === undefined ? [] : [access.interceptor]),
        createValidationInterceptor(),
      ],
      jsonOptions: contractJson,
      readMaxBytes: readBytesMax,
    }),
    shutdownGraceMs,
    onClosing: () => health.close(),
    onError: (error) => logger.debug({ error }, "connection broke"),
  });
}
