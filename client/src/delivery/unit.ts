import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { Frame } from "./frame-encoder.ts";

/** A commit unit: the frames of one stream, acknowledged together or not at all. */
export type Unit = {
  readonly frames: readonly Frame[];
  readonly readings: number;
};

/** The result of one attempt to send a unit. */
export type SendResult =
  /** Every accepted reading is durably stored; accepted + refused are all readings of the unit. */
  | {
      readonly kind: "acked";
      readonly accepted: number;
      readonly refused: number;
      /** The first rejected readings. */
      readonly refusedReadings: readonly RefusedReading[];
      /** Accepted readings that were stored before; left out if ingest finds them only later. */
      readonly found?: { readonly duplicates: number; readonly conflicts: number } | undefined;
    }
  /** Nothing is acknowledged; some readings may be stored. */
  | {
      readonly kind: "failed";
      /** The gRPC code by name, such as UNAVAILABLE. */
      readonly code: string;
      readonly message: string;
      /** The delay that the server requested, in milliseconds; undefined if it requested none. */
      readonly retryDelayMs: number | undefined;
    };

/** A failed attempt. */
export type SendFailure = Extract<SendResult, { kind: "failed" }>;

/** An acknowledged attempt. */
export type SendAcked = Extract<SendResult, { kind: "acked" }>;

/** The destination of units: ingest, over any transport. */
export type UnitSender = {
  /** Sends the unit once. Always resolves, also when the signal aborts (then as failed). */
  send(unit: Unit, signal: AbortSignal): Promise<SendResult>;
  /** Closes the connections. Closing again has no effect. */
  close(): void;
};
