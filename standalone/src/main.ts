import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { openMetrics, type ServedMetrics } from "@devicemesh/kit/observability/metrics-server";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { StoreOpenError } from "@devicemesh/store-duckdb/database/duckdb-database";
import { banner } from "./banner.ts";
import { refuseReplay, replayInto } from "./replay-into.ts";
import { devicesAtStart, type EmbeddedConfig, embeddedSettings } from "./settings.ts";
import { type Embedded, startEmbedded } from "./start.ts";

const loaded = loadSettings(embeddedSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  await run(loaded.values);
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(`${loaded.text}\n`);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}

async function run(config: EmbeddedConfig): Promise<void> {
  const stopped = new AbortController();
  const signal = untilShutdownSignal().finally(() => stopped.abort());
  const logger = createLogger({ name: "devicemesh", level: config.logLevel });
  await refuseReplay(config.replay);
  let mesh: Embedded;
  let served: ServedMetrics | undefined;
  try {
    served = await openMetrics(config, { logger });
    mesh = await startEmbedded(config, { logger, clock: Date.now, metrics: served?.metrics });
  } catch (error) {
    process.stderr.write(`devicemesh: ${explained(error)}\n`);
    return process.exit(1);
  }
  if (devicesAtStart(config) > 0) mesh.generator.start({ devices: devicesAtStart(config) });
  process.stdout.write(`${banner(config, mesh)}${served ? `${served.line}\n` : ""}`);
  if (config.replay !== undefined) {
    await replayInto({
      file: config.replay,
      target: mesh.ingest,
      tls: mesh.generatorTls,
      signal: stopped.signal,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  }
  await signal;
  process.stdout.write("\nstopping ...\n");
  await mesh.close();
  process.stdout.write("stopped; everything acknowledged is stored\n");
  process.exit();
}

function explained(error: unknown): string {
  if (error instanceof StoreOpenError || error instanceof RangeError || error instanceof SettingsError)
    return error.message;
  if (error instanceof PortInUseError)
    return `${error.message}: choose another with --ingest-port or --query-port`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
