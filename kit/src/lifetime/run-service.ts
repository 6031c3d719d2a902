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

/** A service that is run as a process. */
export type ServiceProgram<Settings extends Readonly<Record<string, Setting>>> = {
  /** Its name in the log lines. */
  readonly name: string;
  /** Its settings; `host` and `logLevel` are among them, and `metricsPort` may be. */
  readonly definition: SettingsDefinition<Settings>;
  /** Starts it; the result is closed when the process must end. */
  start(
    values: SettingValues<Settings>,
    dependencies: {
      readonly logger: Logger;
      readonly clock: () => number;
      /** The registry for its metrics; none if left out. */
      readonly metrics: Metrics | undefined;
    },
  ): Promise<Pick<RunningServer, "port" | "close" | "failed">>;
};

/**
 * Runs a service as a process: reads flags and environment, starts it, prints `listening on HOST:PORT` as one line on
 * stdout, and `metrics on HOST:PORT` as the next if there is a metrics port, and closes it on SIGINT or SIGTERM, or
 * when it has failed. Sets the exit code: 0 after a signal (or for --help), 1 if it could not start or continue, 2 if a
 * setting is wrong.
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
    // A signal before it listened: it has acknowledged nothing yet.
    if (!service) return runtime.exit();
    runtime.stdout.write(`listening on ${host}:${service.port}\n`);
    if (served) runtime.stdout.write(`${served.line}\n`);
    try {
      await Promise.race([asked, ...(service.failed ? [service.failed] : [])]);
    } finally {
      await service.close();
      // Last, so that the shutdown can be observed.
      await served?.close();
    }
  } catch (error) {
    const isWrongSetting = error instanceof SettingsError;
    if (!isWrongSetting) logger.fatal({ error }, "fatal error");
    const message = error instanceof Error ? error.message : String(error);
    runtime.stderr.write(`${program.name}: ${withoutCredentials(message)}\n`);
    runtime.exitCode = isWrongSetting ? 2 : 1;
  }
  // Remaining handles (timers of libraries) must not keep a closed service alive.
  runtime.exit();
}
