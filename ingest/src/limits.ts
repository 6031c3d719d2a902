import type { ConnectionLimits } from "@devicemesh/kit/server/connection-limits";
import { frameBytesMax, frameReadingsMax } from "@devicemesh/proto";

/** What ingest can be set to. Every limit is an upper bound, inclusive. */
export type IngestConfig = {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** Readings of one commit unit. */
  readonly unitReadingsMax: number;
  /** Refused readings that a response lists. The contract says 100. */
  readonly refusedListMax: number;
  /** Appends of one stream that the log has not acknowledged; beyond, the stream is not read. */
  readonly streamAppendsMax: number;
  /** Readings of all streams that the log has not acknowledged; beyond, no stream is read. */
  readonly readingsInFlightMax: number;
  /** Limits on connections; `connectionDefaults` for what is left out. */
  readonly connections: Partial<ConnectionLimits>;
  /** Open calls of one connection; HTTP/2 keeps the client from opening more. */
  readonly connectionStreamsMax: number;
  /**
   * The largest message that is received at all, in bytes. Frames above the contract's 1 MiB but below
   * this are refused with details; larger ones by grpc-js unread, with the same code and no details.
   */
  readonly receiveBytesMax: number;
  /** HTTP/2 pings to the clients are sent so often; a client that does not answer in time is gone. */
  readonly keepaliveIntervalMs: number;
  /** How long a client may take to answer a ping. */
  readonly keepaliveTimeoutMs: number;
  /** How long open units may take to finish when ingest closes. */
  readonly shutdownGraceMs: number;
  /** How long clients should wait before they try again when ingest or the log is away. */
  readonly retryDelayMs: number;
};

/** The defaults; `port` is the contract's well-known port. */
export const defaultIngestConfig = {
  host: "127.0.0.1",
  port: 50051,
  unitReadingsMax: 100_000,
  refusedListMax: 100,
  // Enough for a few busy streams to fill a large commit, which is the cheapest; the readings of all are bounded below.
  streamAppendsMax: 256,
  // 25 bytes of columns a reading: 8 MiB. One large commit, and the next while it is written.
  readingsInFlightMax: 300_000,
  connections: {},
  connectionStreamsMax: 1000,
  // Room for a frame that is a little too large, so that its sender learns how much.
  receiveBytesMax: frameBytesMax + 64 * 1024,
  // Below the 900 s after which virtual networks forget idle connections, and rare enough to cost nothing.
  keepaliveIntervalMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  shutdownGraceMs: 1000,
  retryDelayMs: 1000,
} as const satisfies IngestConfig;

/**
 * The config with defaults for what is left out.
 * @throws Error that names the setting if a limit could never let a full frame through.
 */
export function ingestConfig(settings: Partial<IngestConfig> = {}): IngestConfig {
  const config = { ...defaultIngestConfig, ...settings };
  for (const name of ["unitReadingsMax", "readingsInFlightMax"] as const) {
    if (config[name] < frameReadingsMax) throw new Error(`${name} must be at least ${frameReadingsMax}`);
  }
  if (config.streamAppendsMax < 1) throw new Error("streamAppendsMax must be at least 1");
  return config;
}
