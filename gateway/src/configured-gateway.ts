import { readFileSync } from "node:fs";
import type { UnitSender } from "@devicemesh/client";
import type { SenderAccess } from "@devicemesh/identity";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Metrics } from "@devicemesh/kit/observability/metrics";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { clientsOfMqtt, senderOfRequests } from "./identify.ts";
import { registerGatewayMetrics } from "./metrics.ts";
import { bridgeTargetOf } from "./mqtt/broker-connection.ts";
import { openGateway } from "./open-gateway.ts";
import type { SensorLookup } from "./readings/sensor-lookup.ts";
import type { GatewaySettings } from "./settings.ts";

/** A gateway with the configuration of its settings. */
export type ConfiguredGateway = AsyncDisposable & {
  readonly routes: readonly HttpRoute[];
  /** The port of the MQTT broker, if there is one. */
  readonly mqttPort: number | undefined;
};

/**
 * Opens a gateway with everything that its settings request, except the server for its routes, which the program has.
 * @throws PortInUseError if the MQTT port is in use; RangeError for a malformed topic template or broker address.
 */
export async function openConfiguredGateway(
  settings: GatewaySettings & { readonly host: string; readonly corsOrigin?: string | undefined },
  dependencies: {
    readonly sender: UnitSender;
    readonly senders: SenderAccess;
    readonly logger: Logger;
    readonly clock: () => number;
    readonly metrics: Metrics | undefined;
    readonly unfinished: UnfinishedRequests;
    readonly lookup?: SensorLookup;
  },
): Promise<ConfiguredGateway> {
  const { senders, metrics } = dependencies;
  await using opening = new AsyncDisposableStack();
  const gateway = opening.use(
    openGateway({
      ...dependencies,
      senderOf: senders.identify && senderOfRequests(senders.identify),
      origins: listOf(settings.corsOrigin),
      deviceTags: listOf(settings.lineDeviceTags),
      topics: listOf(settings.mqttTopics),
    }),
  );
  const mqtt =
    settings.mqttPort === undefined
      ? undefined
      : await gateway.listenMqtt({
          host: settings.host,
          port: settings.mqttPort,
          tls: senders.tls,
          identify: senders.identify && clientsOfMqtt(senders.identify),
        });
  const bridge =
    settings.mqttUrl === undefined
      ? undefined
      : gateway.startBridge(
          bridgeTargetOf(settings.mqttUrl, {
            clientId: settings.mqttClientId,
            group: settings.mqttGroup,
            filters: listOf(settings.mqttSubscribe),
            ca: settings.mqttCa === undefined ? undefined : readFileSync(settings.mqttCa, "utf8"),
          }),
        );
  if (metrics) {
    registerGatewayMetrics(metrics, {
      delivery: gateway.delivery.counts,
      isReachable: gateway.delivery.isReachable,
      mqtt: () => mqtt?.counts(),
      bridge: () => bridge && { ...bridge.counts(), isConnected: bridge.isConnected() },
    });
  }
  const opened = opening.move();
  return {
    routes: gateway.routes,
    mqttPort: mqtt?.port,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
