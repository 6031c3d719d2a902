import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import packageJson from "../package.json" with { type: "json" };
import type { Delivery } from "./deliver/delivery.ts";
import type { Sender } from "./deliver/submit-checked.ts";
import type { HttpSide } from "./http/http-side.ts";
import { pingRoutes } from "./http/ping.ts";
import { postLinesRoutes } from "./http/post-lines.ts";
import { postReadingsRoute } from "./http/post-readings.ts";
import { createBodyReader } from "./http/read-body.ts";
import { type GatewayLimits, gatewayLimits } from "./limits.ts";
import type { SensorLookup } from "./readings/sensor-lookup.ts";

/** The dependencies of the routes. */
export type GatewayRoutesDependencies = {
  readonly delivery: Delivery;
  readonly lookup: SensorLookup;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The incomplete requests of the process. */
  readonly unfinished: UnfinishedRequests;
  /** Returns the sender of a request; any client may send if left out. */
  readonly senderOf?: ((request: OnePortRequest) => Promise<Sender | undefined>) | undefined;
  /** Origins of web pages that may send; "*" for any; only those of this server if left out. */
  readonly origins?: readonly string[];
  /** See `HttpSide.deviceTags`. */
  readonly deviceTags: readonly string[];
  readonly limits?: GatewayLimits;
};

/**
 * Returns the routes for devices that send over HTTP: documents, line protocol, and the checks of InfluxDB's clients.
 */
export function gatewayRoutes({
  delivery,
  lookup,
  clock,
  unfinished,
  senderOf = async () => undefined,
  origins = [],
  deviceTags,
  limits = gatewayLimits,
}: GatewayRoutesDependencies): readonly HttpRoute[] {
  const side: HttpSide = {
    delivery,
    lookup,
    clock,
    senderOf,
    origins,
    deviceTags,
    nowMs: () => performance.now(),
    waitMs: limits.httpWaitMs,
    bodies: createBodyReader({
      bytesMax: limits.bodyBytesMax,
      allBytesMax: limits.allBodiesBytesMax,
      retryAfterMs: limits.delivery.retryAfterMs,
      unfinished,
    }),
  };
  return [
    postReadingsRoute(side),
    ...postLinesRoutes(side),
    ...pingRoutes({ isServing: delivery.isReachable, version: packageJson.version }),
  ];
}
