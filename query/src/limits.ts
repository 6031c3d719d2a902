import type { AllowedHosts } from "@devicemesh/kit/rpc/requests/request-host";
import type { ConnectionLimits } from "@devicemesh/kit/server/connection-limits";

/** What query can be set to. Every limit is an upper bound, inclusive. */
export type QueryConfig = {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** Origins of web pages that may call; "*" allows any. */
  readonly corsOrigins: readonly string[];
  /** Host names that are answered; by default those of loopback without access control, else any. */
  readonly hosts?: AllowedHosts | undefined;
  /** Bytes of one request message. */
  readonly readMaxBytes: number;
  /** Bytes of one answer message. */
  readonly writeMaxBytes: number;
  /** How long a unary call may take, in ms, whatever longer deadline its client sets. */
  readonly callTimeoutMs: number;
  /** Limits on connections; `onePortDefaults` for what is left out. */
  readonly connections: Partial<ConnectionLimits>;
  /** Unary calls at a time; further ones are refused. */
  readonly callsMax: number;
  /** Watches at a time; further ones are rejected. */
  readonly watchesMax: number;
  /**
   * Watches of one user at a time; further ones are rejected. Where users are not known, of one address or, on this
   * machine, of one connection.
   */
  readonly watchesPerCallerMax: number;
  /** Messages of one watch, and reads for equal watches, are at least this far apart, in ms. */
  readonly watchIntervalMs: number;
  /** Messages of all watches together in a second; where there are more watches, each gets fewer. */
  readonly watchMessagesPerSecond: number;
  /** Reads for watches at a time; other calls have the rest of the store. */
  readonly watchReadsMax: number;
  /** Rows that the answers of all different watches hold in memory, some 500 bytes each. */
  readonly watchRowsMax: number;
  /** How long running calls may take to finish when query closes, in ms. */
  readonly shutdownGraceMs: number;
  /**
   * Services of the contract that reflection shows too although another server answers them: for a front
   * door that serves them all on one address and sends reflection here.
   */
  readonly reflectServices?: readonly string[] | undefined;
  /** What page tokens are signed with; random for each start if left out, then a restart ends them. */
  readonly pageTokenSecret?: string | undefined;
};

/** The defaults. */
export const defaultQueryConfig = {
  host: "127.0.0.1",
  port: 8080,
  corsOrigins: [],
  readMaxBytes: 1024 * 1024,
  // Every page stays below 3 MiB, and clients accept no more than this by default.
  writeMaxBytes: 4 * 1024 * 1024,
  callTimeoutMs: 60_000,
  connections: {},
  callsMax: 256,
  watchesMax: 1000,
  watchesPerCallerMax: 100,
  watchIntervalMs: 250,
  watchMessagesPerSecond: 1250,
  watchReadsMax: 2,
  watchRowsMax: 200_000,
  shutdownGraceMs: 1000,
} as const satisfies QueryConfig;

/** The config with defaults for what is left out. */
export function queryConfig(settings: Partial<QueryConfig> = {}): QueryConfig {
  return { ...defaultQueryConfig, ...settings };
}
