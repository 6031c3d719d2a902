import type { UnitSender } from "@devicemesh/client";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { createDelivery, type Delivery } from "./deliver/delivery.ts";
import type { Sender } from "./deliver/submit-checked.ts";
import { gatewayLimits } from "./limits.ts";
import { type MqttBridge, startMqttBridge } from "./mqtt/bridge.ts";
import type { BridgeTarget } from "./mqtt/broker-connection.ts";
import { type MqttListener, startMqttListener } from "./mqtt/mqtt-listener.ts";
import type { IdentifyClient } from "./mqtt/session-broker.ts";
import { createStoreMessage, type StoreMessage } from "./mqtt/store-message.ts";
import { createSensorLookup, type SensorLookup } from "./readings/sensor-lookup.ts";
import { gatewayRoutes } from "./routes.ts";
import { createTopicMapping } from "./topics/topic-mapping.ts";

/** The dependencies of a gateway. */
export type GatewayOptions = {
  /** The connection to ingest. It is closed with the gateway. */
  readonly sender: UnitSender;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly unfinished: UnfinishedRequests;
  readonly lookup?: SensorLookup;
  /** Returns the sender of an HTTP request; any client may send if left out. */
  readonly senderOf?: ((request: OnePortRequest) => Promise<Sender | undefined>) | undefined;
  /** Origins of web pages that may send. */
  readonly origins?: readonly string[];
  /** Tags of line protocol that name the device; see `--line-device-tags`. */
  readonly deviceTags: readonly string[];
  /** Formats of MQTT topics; see `--mqtt-topics`. */
  readonly topics: readonly string[];
};

/** A gateway: its routes over HTTP, its MQTT broker, and the delivery to ingest behind them. */
export type Gateway = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
  readonly delivery: Delivery;
  /** Stores the readings of MQTT messages, for the broker and for the bridge. */
  readonly store: StoreMessage;
  /** Starts the MQTT broker, which the gateway closes. @throws PortInUseError if the port is taken. */
  listenMqtt(options: {
    readonly host: string;
    readonly port: number;
    readonly tls?: TlsTermination | undefined;
    readonly identify?: IdentifyClient | undefined;
  }): Promise<MqttListener>;
  /** Reads from an existing broker until the gateway closes. */
  startBridge(target: BridgeTarget): MqttBridge;
};

/** Time limit for readings in progress when the gateway closes, in ms. */
const closeLimitMs = 500;

/**
 * Opens a gateway. It does not connect before the first reading.
 * @throws RangeError for a malformed topic template.
 */
export function openGateway(options: GatewayOptions): Gateway {
  const { sender, logger, lookup = createSensorLookup(), clock } = options;
  const mapping = createTopicMapping(options.topics, lookup);
  const opened = new AsyncDisposableStack();
  let isFailing = false;
  let isClosing = false;
  const delivery = createDelivery({
    sender,
    limits: gatewayLimits.delivery,
    onAttempt(failure) {
      const fails = failure !== undefined && !failure.isRejection;
      // One line for each change, because every attempt fails while ingest is unavailable.
      if (fails && !isFailing) {
        const { code, message } = failure;
        logger.warn({ code, reason: message }, "readings cannot be stored; trying again");
      } else if (!fails && isFailing) logger.warn("readings are stored again");
      isFailing = fails;
    },
  });
  opened.defer(() => delivery.close({ limitMs: closeLimitMs }));
  const store = createStoreMessage({
    mapping,
    delivery,
    clock,
    isClosing: () => isClosing,
    onRejected: (rejected) => logger.info(rejected, "a reading of an MQTT message was rejected"),
  });
  return {
    delivery,
    store,
    routes: gatewayRoutes({ ...options, delivery, lookup }),
    async listenMqtt(address) {
      const onError = (error: unknown): void => logger.debug({ error }, "an MQTT connection broke");
      return opened.use(await startMqttListener({ ...address, store, onError }));
    },
    startBridge: (target) =>
      opened.use(
        startMqttBridge({
          target,
          store,
          onEvent(event) {
            const { host, port } = target;
            if (event.kind === "connected")
              logger.info({ ...event, host, port }, "subscribed to the MQTT broker");
            else
              logger.warn(
                { host, port, reason: event.reason },
                "the MQTT broker is unavailable; trying again",
              );
          },
        }),
      ),
    async [Symbol.asyncDispose]() {
      isClosing = true;
      await opened.disposeAsync();
    },
  };
}
