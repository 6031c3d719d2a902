import type { ConnectionLimits } from "@devicemesh/kit/server/connection-limits";
import type { AllowedHosts } from "@devicemesh/kit/server/hosts";

/** The limits of query. Each is an upper bound, inclusive. */
export type QueryConfig = {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 chooses a free one. */
  readonly port: number;
  /** Origins of web pages that may call; "*" allows any. */
  readonly corsOrigins: readonly string[];
  /** Accepted host names; by default those of loopback without access control, otherwise any. */
  readonly hosts?: AllowedHosts | undefined;
  /** Maximum size of one request message in bytes. */
  readonly readMaxBytes: number;
  /** Maximum size of one response message in bytes. */
  readonly writeMaxBytes: number;
  /** Time limit of a unary call, in ms, whatever longer deadline its client sets. */
  readonly callTimeoutMs: number;
  /** Limits on connections; `onePortDefaults` for those left out. */
  readonly connections: Partial<ConnectionLimits>;
  /** Number of concurrent unary calls; further ones are rejected. */
  readonly callsMax: number;
  /** Number of concurrent watches; further ones are rejected. */
  readonly watchesMax: number;
  /**
   * Number of concurrent watches of one user; further ones are rejected. Without authentication, of one address or, on
   * this machine, of one connection.
   */
  readonly watchesPerCallerMax: number;
  /** Minimum interval between messages of one watch, and between reads for equal watches, in ms. */
  readonly watchIntervalMs: number;
  /** Messages a second of all watches together; with more watches, each gets fewer. */
  readonly watchMessagesPerSecond: number;
  /** Number of concurrent reads for watches; other calls use the rest of the store. */
  readonly watchReadsMax: number;
  /** Number of rows that the answers of all different watches hold in memory, about 500 bytes each. */
  readonly watchRowsMax: number;
  /** Time limit for running calls to finish when query closes, in ms. */
  readonly shutdownGraceMs: number;
  /**
   * Services of the contract that reflection lists although another server answers them: for a front door that serves
   * them all on one address and routes reflection here.
   */
  readonly reflectServices?: readonly string[] | undefined;
  /** The key that signs page tokens; random for each start if left out, then a restart invalidates them. */
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

/** Returns the limits, with defaults for those left out. */
export function queryConfig(settings: Partial<QueryConfig> = {}): QueryConfig {
  return { ...defaultQueryConfig, ...settings };
}
