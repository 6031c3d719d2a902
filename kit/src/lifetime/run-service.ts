import { createLogger, type Logger, type LogLevel } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import { openMetrics } from "../observability/metrics-server.ts";
import { withoutCredentials } from "../observability/redact-credentials.ts";
import type { RunningServer } from "../server/running-server.ts";
import {
  loadSettings,
  type Setting,
  type SettingsDefinition,
  type SettingValues,
} from "../settings/define-settings.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { untilShutdownSignal } from "./shutdown-signal.ts";

/** A service as a process runs it. */
export type ServiceProgram<Settings extends Readonly<Record<string, Setting>>> = {
  /** In the log lines. */
  readonly name: string;
  /** Its settings; `host` and `logLevel` are among them, and `metricsPort` may be. */
  readonly definition: SettingsDefinition<Settings>;
  /** Starts it; what it gives back is closed when the process is asked to end. */
  start(
    values: SettingValues<Settings>,
    dependencies: {
      readonly logger: Logger;
      readonly clock: () => number;
      /** Where it registers its metrics; none if left out. */
      readonly metrics: Metrics | undefined;
    },
  ): Promise<Pick<RunningServer, "port" | "close" | "failed">>;
};

/**
 * Runs a service as a process: reads flags and environment, starts it, prints `listening on HOST:PORT` as one
 * line on stdout, and `metrics on HOST:PORT` as the next if there is a metrics port, and closes it on SIGINT or SIGTERM,
 * or when it has failed. Sets the exit code: 0 when it was asked to end (or for --help), 1 if it could not start or go
 * on, 2 if a setting is wrong.
 */
export async function runService<const Settings extends Readonly<Record<string, Setting>>>(
  program: ServiceProgram<Settings>,
  runtime: NodeJS.Process,
): Promise<void> {
  const loaded = loadSettings(program.definition, { args: runtime.argv.slice(2), env: runtime.env });
  if (loaded.kind !== "settings") {
    (loaded.kind === "help" ? runtime.stdout : runtime.stderr).write(loaded.text);
    runtime.exitCode = loaded.kind === "help" ? 0 : 2;
    return;
  }
  const { values } = loaded;
  const { host, logLevel, metricsPort } = values as unknown as {
    readonly host: string;
    readonly logLevel: LogLevel;
    readonly metricsPort?: number;
  };
  const logger = createLogger({ name: program.name, level: logLevel });
  const asked = untilShutdownSignal();
  try {
    const served = await openMetrics({ host, metricsPort }, { logger });
    const starting = program.start(values, { logger, clock: Date.now, metrics: served?.metrics });
    const service = await Promise.race([starting, asked.then(() => undefined)]);
    // Asked to end before it listened: it has promised nothing to anybody.
    if (!service) return runtime.exit();
    runtime.stdout.write(`listening on ${host}:${service.port}\n`);
    if (served) runtime.stdout.write(`${served.line}\n`);
    try {
      await Promise.race([asked, ...(service.failed ? [service.failed] : [])]);
    } finally {
      await service.close();
      // Last, so that the end can be watched.
      await served?.close();
    }
  } catch (error) {
    const isWrongSetting = error instanceof SettingsError;
    if (!isWrongSetting) logger.fatal({ error }, "fatal error");
    const message = error instanceof Error ? error.message : String(error);
    runtime.stderr.write(`${program.name}: ${withoutCredentials(message)}\n`);
    runtime.exitCode = isWrongSetting ? 2 : 1;
  }
  // What is left open (timers of libraries) must not keep a closed service alive.
  runtime.exit();
}
