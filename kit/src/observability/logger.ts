import {
  type DestinationStream,
  destination as openDestination,
  pino,
  stdSerializers,
  stdTimeFunctions,
} from "pino";
import { withoutCredentials } from "./redact-credentials.ts";

/** The levels, from the most verbose. `silent` writes nothing. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Writes an event: fields, and a message that is always the same for the same event. */
export type LogFunction = {
  (fields: object, message: string): void;
  (message: string): void;
};

/** Writes one JSON line per event. Put an error into the field `error`; its causes are written too. */
export type Logger = {
  readonly trace: LogFunction;
  readonly debug: LogFunction;
  readonly info: LogFunction;
  readonly warn: LogFunction;
  readonly error: LogFunction;
  readonly fatal: LogFunction;
  /** Returns a logger that adds these fields to every event. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
};

/**
 * Creates a logger; each line has `time` (ISO 8601), `level` (its name), `name` and `msg`. `destination` receives one
 * write per line; the default is stderr, written before the call returns, so that the last lines of a dying process are
 * not lost. Passwords in URLs are removed.
 */
export function createLogger(options: {
  readonly name: string;
  readonly level: LogLevel;
  readonly destination?: { write(line: string): unknown };
}): Logger {
  const target = options.destination ?? openDestination({ dest: 2, sync: true });
  return pino(
    {
      level: options.level,
      base: { name: options.name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
      hooks: { streamWrite: withoutCredentials },
    },
    target as DestinationStream,
  );
}

/** A logger that writes nothing: for tests, and for callers that pass none. */
export function silentLogger(): Logger {
  return createLogger({ name: "silent", level: "silent", destination: { write: () => true } });
}
