import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import type { Delivery } from "../deliver/delivery.ts";
import type { Sender } from "../deliver/submit-checked.ts";
import type { SensorLookup } from "../readings/sensor-lookup.ts";
import type { BodyReader } from "./read-body.ts";

/** What the routes over HTTP share. */
export type HttpSide = {
  readonly delivery: Delivery;
  readonly lookup: SensorLookup;
  readonly bodies: BodyReader;
  /** Who sends a request; undefined where any client may send. @throws RpcError UNAUTHENTICATED or PERMISSION_DENIED. */
  senderOf(request: OnePortRequest): Promise<Sender | undefined>;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Ms of a clock that never jumps. */
  readonly nowMs: () => number;
  /** How long a request waits until its readings are stored, in ms. */
  readonly waitMs: number;
  /** Origins of web pages that may send; "*" for any. */
  readonly origins: readonly string[];
  /** Tags of line protocol that name the device, the first that a line has. Several joined with `+` name it together. */
  readonly deviceTags: readonly string[];
};
