import type { Setting } from "./setting-schema.ts";

/**
 * Returns the settings `--host` and `--port` of a server, with the names of their variables, the default port, and
 * their help texts. The default host is this machine only; a port of 0 chooses a free one.
 */
export function addressSettings<const Port extends number>(options: {
  readonly hostVariable: string;
  readonly portVariable: string;
  readonly port: Port;
  readonly hostDescription: string;
  readonly portDescription?: string;
}) {
  return {
    host: {
      flag: "--host",
      env: options.hostVariable,
      kind: "string",
      default: "127.0.0.1",
      description: options.hostDescription,
    },
    port: {
      flag: "--port",
      env: options.portVariable,
      kind: "integer",
      default: options.port,
      minimum: 0,
      maximum: 65_535,
      description: options.portDescription ?? "Port to listen on; 0 picks a free port.",
    },
  } as const satisfies Readonly<Record<string, Setting>>;
}
