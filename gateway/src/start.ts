import { createIngestClient, readIngestTls, systemClock } from "@devicemesh/client";
import { openSenderAccess } from "@devicemesh/identity";
import { importRoutes } from "@devicemesh/import";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import { hostProblem } from "@devicemesh/kit/rpc/connect-handler";
import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { rejectHost } from "@devicemesh/kit/rpc/requests/rejected-requests";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { isLoopback, loopbackHosts } from "@devicemesh/kit/server/hosts";
import { respondHttpError } from "@devicemesh/kit/server/http-errors";
import { createHttpRoutes, type HttpRoute } from "@devicemesh/kit/server/http-routes";
import { type OnePortHandler, startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { createRunningServer, type RunningServer } from "@devicemesh/kit/server/running-server";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { openSensorCatalog } from "@devicemesh/kit/settings/sensor-settings";
import { openConfiguredGateway } from "./configured-gateway.ts";
import { gatewayLimits } from "./limits.ts";
import { createSensorLookup } from "./readings/sensor-lookup.ts";
import type { GatewayProgramSettings } from "./settings.ts";

/**
 * Starts the gateway as a separate process: HTTP on its port, MQTT if configured, in front of an ingest that it reaches
 * over gRPC.
 * @throws PortInUseError if a port is in use; SettingsError if the settings of identity are wrong; RangeError for a
 * malformed topic
 *   template or broker address.
 */
export async function startGateway(
  settings: GatewayProgramSettings,
  dependencies: {
    readonly logger: Logger;
    readonly clock: () => number;
    readonly metrics: Metrics | undefined;
  },
): Promise<RunningServer> {
  const { logger, clock, metrics } = dependencies;
  await using starting = new AsyncDisposableStack();
  const senders = starting.use(openSenderAccess(settings, ["h2", "http/1.1"], { logger, clock }));
  const tls = readIngestTls({
    ca: settings.ingestCa,
    certificate: settings.ingestCertificate,
    key: settings.ingestKey,
  });
  const catalog = openSensorCatalog(settings);
  const gateway = starting.use(
    await openConfiguredGateway(settings, {
      logger,
      clock,
      metrics,
      senders,
      lookup: createSensorLookup(catalog),
      unfinished: createUnfinishedRequests(),
      sender: createIngestClient({
        target: settings.ingest,
        clock: systemClock,
        tls,
        deadlineMs: gatewayLimits.ingestCallMs,
        metadata:
          settings.forwardedName === "" ? {} : { "x-forwarded-client-cert": `URI=${settings.forwardedName}` },
      }),
    }),
  );
  const isOpen = senders.identify === undefined;
  const hosts = isOpen && isLoopback(settings.host) ? loopbackHosts : "*";
  const imports = isOpen
    ? importRoutes({
        ingest: settings.ingest,
        tls,
        catalog,
        clock: systemClock,
        origins: listOf(settings.corsOrigin),
      })
    : [noImportRoute];
  const routes = createHttpRoutes([...gateway.routes, ...imports], {
    onError: (error) => logger.error({ error }, "a request failed"),
  });
  const handler: OnePortHandler = (request, response) => {
    const authority =
      "authority" in request ? request.authority || request.headers.host : request.headers.host;
    const problem = hostProblem(authority, hosts);
    if (problem === undefined) routes(request, response);
    else rejectHost(request, response, problem);
  };
  const server = starting.use(
    await startOnePortServer({
      host: settings.host,
      port: settings.port,
      handler,
      tls: senders.tls,
      shutdownGraceMs: gatewayLimits.shutdownGraceMs,
      onError: (error) => logger.debug({ error }, "a connection broke"),
    }),
  );
  const running = starting.move();
  if (gateway.mqttPort !== undefined) logger.info({ port: gateway.mqttPort }, "MQTT is served");
  return createRunningServer(server.port, () => running.disposeAsync());
}

/** With authentication a gateway may send only for the devices of the request's sender, whom a recording does not name. */
const noImportRoute: HttpRoute = {
  method: "POST",
  path: "/v1/import",
  handle: async (_request, response) =>
    respondHttpError(
      response,
      new RpcError({
        code: "UNIMPLEMENTED",
        message:
          "recordings are not uploaded here while authentication is on: npm run import -- FILES --to HOST:PORT --ca FILE --cert FILE --key FILE sends them with the certificate of their devices or gateway",
      }),
    ),
};
