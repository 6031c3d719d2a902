import { setTimeout as delay } from "node:timers/promises";
import { type DeviceMessage, identityOf, sensors } from "@devicemesh/proto";
import mqtt from "mqtt";
import type { SteadyLoad } from "./steady-load.ts";

/** Readings of a device in one document, as senders without gRPC write them. */
type Parcel = readonly DeviceMessage[];

/** The interval between the parcels of one sender, and the wait before a parcel without an acknowledgement is sent again. */
const parcelIntervalMs = 40;
const retryDelayMs = 250;
/** A sender that waits for so many acknowledgements sends nothing new, as a device with a full memory. */
const openParcelsMax = 50;

/**
 * Starts senders of HTTP documents and of MQTT messages at QoS 1, 25 readings a second each. Each re-sends a parcel
 * until it is acknowledged: by a 200, or by a PUBACK.
 */
export async function startGatewayLoad({
  http,
  mqttPort,
  prefix,
}: {
  /** host:port of Envoy. */
  readonly http: string;
  readonly mqttPort: number;
  /** Stands before the device ids. */
  readonly prefix: string;
}): Promise<SteadyLoad> {
  const sent = new Map<string, DeviceMessage>();
  const acked = new Set<string>();
  const underWay = new Set<Promise<void>>();
  const aborting = new AbortController();
  const beginMs = Date.now();
  let number = 0;
  let resent = 0;
  // It connects again by itself, and sends again what was not acknowledged.
  const client = await mqtt.connectAsync({
    host: "127.0.0.1",
    port: mqttPort,
    clientId: `${prefix}sender`,
    clean: false,
    reconnectPeriod: retryDelayMs,
  });
  client.on("error", () => {});

  function parcel(device: string): Parcel {
    const timestampMs = beginMs + number++ * 3;
    return sensors.map(({ sensor, minimum, maximum }, place) => ({
      deviceId: `${prefix}${device}`,
      sensor,
      timestampMs,
      value: minimum + ((maximum - minimum) * ((number * 7919 + place) % 1000)) / 1000,
    }));
  }

  async function overHttp(messages: Parcel): Promise<void> {
    const body = documentOf(messages, { device_id: messages[0]!.deviceId });
    const { signal } = aborting;
    for (;;) {
      try {
        const headers = { "content-type": "application/json" };
        const response = await fetch(`http://${http}/v1/readings`, { method: "POST", headers, body, signal });
        const { accepted } = (await response.json()) as { accepted?: number };
        if (response.status === 200 && accepted === messages.length) return;
      } catch {
        // No answer: it may be stored or not.
      }
      resent += 1;
      await delay(retryDelayMs, undefined, { signal });
    }
  }

  async function overMqtt(messages: Parcel): Promise<void> {
    await client.publishAsync(messages[0]!.deviceId, documentOf(messages), { qos: 1 });
  }

  const timers = [
    ...["h1", "h2"].map((device) => ({ device, send: overHttp })),
    ...["m1", "m2"].map((device) => ({ device, send: overMqtt })),
  ].map(({ device, send }) => {
    const open = new Set<Promise<void>>();
    return setInterval(() => {
      if (open.size >= openParcelsMax) return;
      const messages = parcel(device);
      for (const one of messages) sent.set(identityOf(one), one);
      const delivery = send(messages)
        .then(() => {
          for (const one of messages) acked.add(identityOf(one));
          load.onAck?.(messages);
        })
        .catch((error: unknown) => {
          if (!aborting.signal.aborted) throw error;
        })
        .finally(() => {
          open.delete(delivery);
          underWay.delete(delivery);
        });
      open.add(delivery);
      underWay.add(delivery);
    }, parcelIntervalMs);
  });

  function stop(): void {
    for (const timer of timers) clearInterval(timer);
  }
  const load: SteadyLoad = {
    sent,
    acked,
    repeated: 0,
    get resent() {
      return resent;
    },
    onAck: undefined,
    async finish() {
      stop();
      await Promise.all(underWay);
      await client.endAsync();
    },
    abort() {
      stop();
      aborting.abort();
      client.end(true);
    },
  };
  return load;
}

function documentOf(messages: Parcel, more: object = {}): string {
  const values = Object.fromEntries(messages.map(({ sensor, value }) => [sensor, value]));
  return JSON.stringify({ ...more, timestamp: messages[0]!.timestampMs, ...values });
}
