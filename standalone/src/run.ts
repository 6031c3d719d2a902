import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { openMetrics, type ServedMetrics } from "@devicemesh/kit/observability/metrics-server";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { StoreOpenError } from "@devicemesh/store-duckdb/database/duckdb-database";
import { banner, dashboardAddress } from "./banner.ts";
import { startDemoDevices } from "./first-minute/demo-devices.ts";
import { openBrowser } from "./first-minute/open-browser.ts";
import { refuseReplay, replayInto } from "./replay-into.ts";
import type { EmbeddedConfig } from "./settings.ts";
import { type Embedded, startEmbedded } from "./start.ts";

/** Runs the mesh until the process is stopped, and resolves to the exit code: 1 if it could not start. */
export async function runEmbedded(config: EmbeddedConfig): Promise<number> {
  const stopped = new AbortController();
  const signal = untilShutdownSignal().finally(() => stopped.abort());
  const logger = createLogger({ name: "devicemesh", level: config.logLevel });
  await refuseReplay(config.replay, config);
  let mesh: Embedded;
  let served: ServedMetrics | undefined;
  try {
    served = await openMetrics(config, { logger });
    mesh = await startEmbedded(config, { logger, clock: Date.now, metrics: served?.metrics });
  } catch (error) {
    process.stderr.write(`devicemesh: ${explained(error)}\n`);
    return 1;
  }
  const backfilled = await startDemoDevices(config, mesh, stopped.signal);
  process.stdout.write(`${banner(config, mesh, backfilled)}${served ? `${served.line}\n` : ""}`);
  if (config.open) {
    openBrowser(dashboardAddress(config, mesh), (reason) =>
      process.stderr.write(`devicemesh: --open: the browser cannot be started: ${reason}\n`),
    );
  }
  if (config.replay !== undefined) {
    await replayInto({
      file: config.replay,
      target: mesh.ingest,
      tls: mesh.generatorTls,
      sensors: config,
      signal: stopped.signal,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  }
  await signal;
  process.stdout.write("\nstopping ...\n");
  await mesh.close();
  process.stdout.write("stopped; everything acknowledged is stored\n");
  return 0;
}

function explained(error: unknown): string {
  if (error instanceof StoreOpenError || error instanceof RangeError || error instanceof SettingsError)
    return error.message;
  if (error instanceof PortInUseError)
    return `${error.message}: choose another with --ingest-port or --query-port`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
