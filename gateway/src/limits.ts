import { defaultBackoff } from "@devicemesh/kit/lifetime/backoff";
import type { DeliveryLimits } from "./deliver/delivery.ts";

/** The gateway's limits that are not flags. Each is an upper bound, inclusive. */
export type GatewayLimits = {
  readonly delivery: DeliveryLimits;
  /** Bytes of an HTTP body, after decompression. */
  readonly bodyBytesMax: number;
  /** Bytes of all bodies that are being read or stored. */
  readonly allBodiesBytesMax: number;
  /** Longest time that an HTTP request waits for its readings to be stored, in ms. */
  readonly httpWaitMs: number;
  /** Deadline of one call to ingest, in ms. */
  readonly ingestCallMs: number;
  /** Time limit of requests in progress when the process ends, in ms. */
  readonly shutdownGraceMs: number;
};

/** The defaults. */
export const gatewayLimits: GatewayLimits = {
  delivery: {
    // About 300 bytes each: 15 MB.
    readingsMax: 50_000,
    batchReadings: 1000,
    lanes: 4,
    backoff: { ...defaultBackoff, longestMs: 2000 },
    retryAfterMs: 1000,
  },
  bodyBytesMax: 8 * 1024 * 1024,
  allBodiesBytesMax: 64 * 1024 * 1024,
  // Most clients time out after 10 s to 30 s.
  httpWaitMs: 10_000,
  ingestCallMs: 10_000,
  shutdownGraceMs: 1000,
};
