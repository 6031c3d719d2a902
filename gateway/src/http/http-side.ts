import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import type { Delivery } from "../deliver/delivery.ts";
import type { Sender } from "../deliver/submit-checked.ts";
import type { SensorLookup } from "../readings/sensor-lookup.ts";
import type { BodyReader } from "./read-body.ts";

/** The dependencies that the HTTP routes share. */
export type HttpSide = {
  readonly delivery: Delivery;
  readonly lookup: SensorLookup;
  readonly bodies: BodyReader;
  /**
   * Returns the sender of a request; undefined if any client may send. @throws RpcError UNAUTHENTICATED or
   * PERMISSION_DENIED.
   */
  senderOf(request: OnePortRequest): Promise<Sender | undefined>;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** A monotonic clock in ms. */
  readonly nowMs: () => number;
  /** Longest time that a request waits for its readings to be stored, in ms. */
  readonly waitMs: number;
  /** Origins of web pages that may send; "*" for any. */
  readonly origins: readonly string[];
  /**
   * Tags of line protocol that name the device; the first tag of the list that a line has counts. Tags joined with `+`
   * name it together.
   */
  readonly deviceTags: readonly string[];
};
