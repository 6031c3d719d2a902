import { createIngestClient, type IngestTls, systemClock } from "@devicemesh/client";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import { createDelivery, type Delivery } from "./deliver/delivery.ts";
import type { Sender } from "./deliver/submit-checked.ts";
import { gatewayLimits } from "./limits.ts";
import { createSensorLookup, type SensorLookup } from "./readings/sensor-lookup.ts";
import { gatewayRoutes } from "./routes.ts";

/** Where a gateway sends and whom it serves. */
export type GatewayOptions = {
  /** host:port of ingest. */
  readonly ingest: string;
  /** Cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly unfinished: UnfinishedRequests;
  readonly lookup?: SensorLookup;
  /** Who sends a request over HTTP; any client may send if left out. */
  readonly senderOf?: ((request: OnePortRequest) => Promise<Sender | undefined>) | undefined;
  /** Origins of web pages that may send. */
  readonly origins?: readonly string[];
  /** Tags of line protocol that name the device; see `--line-device-tags`. */
  readonly deviceTags: readonly string[];
};

/** A gateway: its routes over HTTP, and the delivery to ingest behind them. */
export type Gateway = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
  readonly delivery: Delivery;
  readonly lookup: SensorLookup;
};

/** How long readings that are on their way may take when the gateway closes, in ms. */
const closeLimitMs = 500;

/** Opens a gateway; nothing connects before the first reading. */
export function openGateway(options: GatewayOptions): Gateway {
  const { ingest, tls, logger, lookup = createSensorLookup() } = options;
  const sender = createIngestClient({
    target: ingest,
    clock: systemClock,
    tls,
    deadlineMs: gatewayLimits.ingestCallMs,
  });
  let isFailing = false;
  const delivery = createDelivery({
    sender,
    limits: gatewayLimits.delivery,
    onAttempt(failure) {
      // One line a change: ingest that is unavailable fails each attempt.
      if (failure !== undefined && !failure.isRejection && !isFailing) {
        logger.warn(
          { code: failure.code, reason: failure.message },
          "readings cannot be stored; trying again",
        );
      } else if (failure === undefined && isFailing) logger.warn("readings are stored again");
      isFailing = failure !== undefined && !failure.isRejection;
    },
  });
  return {
    delivery,
    lookup,
    routes: gatewayRoutes({ ...options, delivery, lookup }),
    [Symbol.asyncDispose]: () => delivery.close({ limitMs: closeLimitMs }),
  };
}
