import { startOnePortServer } from "../server/one-port-server.ts";
import { PortInUseError } from "../server/port-in-use-error.ts";
import { createRunningServer, type RunningServer } from "../server/running-server.ts";
import { SettingsError } from "../settings/settings-error.ts";
import type { Logger } from "./logger.ts";
import { createProcessMetrics, type Metrics } from "./metrics.ts";

/** Metrics have one or two readers; a client with many open connections is not one of them. */
const connectionsMax = 64;

/** A scrape takes milliseconds. */
const shutdownGraceMs = 200;

/**
 * Serves metrics over HTTP: GET and HEAD of `/metrics`, and nothing else. There is no authentication.
 * @throws PortInUseError if the port is in use.
 */
export function startMetricsServer(
  { host, port }: { readonly host: string; readonly port: number },
  { metrics, logger }: { readonly metrics: Metrics; readonly logger: Logger },
): Promise<RunningServer> {
  return startOnePortServer({
    host,
    port,
    limits: { connectionsMax, addressConnectionsMax: connectionsMax },
    shutdownGraceMs,
    onError: (error) => logger.debug({ error }, "connection broke"),
    handler(request, response) {
      const answer = (status: number, headers: Record<string, string>, body = ""): void => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        response.statusCode = status;
        response.setHeader("content-length", Buffer.byteLength(body));
        response.end(request.method === "HEAD" ? "" : body);
      };
      const [path] = (request.url ?? "").split("?");
      if (path !== "/metrics") return answer(404, {}, "only /metrics is here\n");
      if (request.method !== "GET" && request.method !== "HEAD") return answer(405, { allow: "GET, HEAD" });
      metrics.text().then(
        (text) => answer(200, { "content-type": metrics.contentType }, text),
        (error) => {
          logger.error({ error }, "the metrics could not be served");
          answer(500, {});
        },
      );
    },
  });
}

/** The metrics of a process, and their address. */
export type ServedMetrics = RunningServer & {
  readonly metrics: Metrics;
  /** The line for standard output with the address: `metrics on HOST:PORT`. */
  readonly line: string;
};

/**
 * Opens the metrics of this process and their port, if configured.
 * @throws SettingsError if the port is in use.
 */
export async function openMetrics(
  { host, metricsPort }: { readonly host: string; readonly metricsPort: number | undefined },
  { logger }: { readonly logger: Logger },
): Promise<ServedMetrics | undefined> {
  if (metricsPort === undefined) return undefined;
  const metrics = createProcessMetrics({ logger });
  try {
    const server = await startMetricsServer({ host, port: metricsPort }, { metrics, logger });
    const { port } = server;
    return { ...createRunningServer(port, server.close), metrics, line: `metrics on ${host}:${port}` };
  } catch (error) {
    if (!(error instanceof PortInUseError)) throw error;
    throw new SettingsError(`${error.message}: choose another with --metrics-port`);
  }
}
