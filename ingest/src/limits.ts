import type { ConnectionLimits } from "@devicemesh/kit/server/connection-limits";
import { frameBytesMax, frameReadingsMax } from "@devicemesh/proto";

/** The limits of ingest. Each is an upper bound, inclusive. */
export type IngestConfig = {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 chooses a free one. */
  readonly port: number;
  /** Readings of one commit unit. */
  readonly unitReadingsMax: number;
  /** Rejected readings that a response lists. The contract states 100. */
  readonly refusedListMax: number;
  /** Appends of one stream that the log has not acknowledged; beyond it, the stream is not read. */
  readonly streamAppendsMax: number;
  /** Readings of all streams that the log has not acknowledged; beyond it, no stream is read. */
  readonly readingsInFlightMax: number;
  /** Limits on connections; `connectionDefaults` for those left out. */
  readonly connections: Partial<ConnectionLimits>;
  /** Open calls of one connection; HTTP/2 prevents the client from opening more. */
  readonly connectionStreamsMax: number;
  /**
   * The largest message that is received at all, in bytes. Frames above the contract's 1 MiB but below this are
   * rejected with details; grpc-js rejects larger ones unread, with the same code and no details.
   */
  readonly receiveBytesMax: number;
  /** Interval of HTTP/2 pings to clients; a client that does not answer in time is disconnected. */
  readonly keepaliveIntervalMs: number;
  /** Time limit for a client to answer a ping. */
  readonly keepaliveTimeoutMs: number;
  /** Time limit for open units to finish when ingest closes. */
  readonly shutdownGraceMs: number;
  /** Delay before a retry that clients receive when ingest or the log is unavailable. */
  readonly retryDelayMs: number;
};

/** The defaults; `port` is the contract's well-known port. */
export const defaultIngestConfig = {
  host: "127.0.0.1",
  port: 50051,
  unitReadingsMax: 100_000,
  refusedListMax: 100,
  // Enough for a few busy streams to fill a large commit, which is the cheapest; the next limit bounds the readings of
  // all.
  streamAppendsMax: 256,
  // 25 bytes of columns a reading: 8 MiB. One large commit, and the next while it is written.
  readingsInFlightMax: 300_000,
  connections: {},
  connectionStreamsMax: 1000,
  // Capacity for a frame that is a little too large, so that its sender receives the size.
  receiveBytesMax: frameBytesMax + 64 * 1024,
  // Below the 900 s after which virtual networks drop idle connections, and rare enough to cost nothing.
  keepaliveIntervalMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  shutdownGraceMs: 1000,
  retryDelayMs: 1000,
} as const satisfies IngestConfig;

/**
 * Returns the limits, with defaults for those left out.
 * @throws Error that names the setting if no full frame could satisfy a limit.
 */
export function ingestConfig(settings: Partial<IngestConfig> = {}): IngestConfig {
  const config = { ...defaultIngestConfig, ...settings };
  for (const name of ["unitReadingsMax", "readingsInFlightMax"] as const) {
    if (config[name] < frameReadingsMax) throw new Error(`${name} must be at least ${frameReadingsMax}`);
  }
  if (config.streamAppendsMax < 1) throw new Error("streamAppendsMax must be at least 1");
  return config;
}
