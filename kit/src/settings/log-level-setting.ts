import { type LogLevel, logLevels } from "../observability/logger.ts";

/** The setting of the log level of a process; its variable begins with `prefix`. */
export const logLevelSetting = ({
  level = "info",
  prefix = "DEVICEMESH_",
}: {
  /** The default. */
  readonly level?: LogLevel;
  readonly prefix?: string;
} = {}) =>
  ({
    flag: "--log-level",
    env: `${prefix}LOG_LEVEL`,
    kind: "string",
    default: level,
    choices: logLevels,
    description: "Log level of the JSON lines on standard error.",
  }) as const;
