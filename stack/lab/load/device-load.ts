import { setTimeout as delay } from "node:timers/promises";
import { type DeviceMessage, protoTimestamp } from "@devicemesh/proto";
import { IngestServiceClient } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { Reading } from "@devicemesh/proto/tsproto/devicemesh/v1/reading.ts";
import { type ChannelCredentials, Metadata } from "@grpc/grpc-js";

/** Readings that are sent at a steady rate by a gateway with a certificate; each unit until it is acknowledged. */
export type DeviceLoad = {
  readonly sent: readonly DeviceMessage[];
  readonly acknowledged: () => number;
  /** Attempts that failed and were repeated. */
  readonly retries: () => number;
  /** Makes no new units, and resolves when all that were made are acknowledged. */
  finish(): Promise<void>;
  /** Ends all attempts. */
  abort(): void;
};

const unitEveryMs = 250;
const unitReadings = 50;
const devices = 20;
const attemptLimitMs = 20_000;
const retryAfterMs = 300;
/** Beyond, no new units are made: a stack that accepts nothing for minutes must not fill the memory. */
const openUnitsMax = 400;

/** Starts a load of 200 temperatures a second, every 13th of them an hour late, to these addresses in turn. */
export function startDeviceLoad(options: {
  /** host:port of each Envoy. */
  readonly targets: readonly string[];
  readonly credentials: ChannelCredentials;
  /** The first part of the device ids, which the gateway's certificate must cover. */
  readonly prefix: string;
}): DeviceLoad {
  const { targets, credentials, prefix } = options;
  const clients = targets.map(
    (target) =>
      // Its own pool: a broken connection must not be shared with the other address.
      new IngestServiceClient(target, credentials, { "grpc.use_local_subchannel_pool": 1 }),
  );
  const sent: DeviceMessage[] = [];
  const open = new Set<Promise<void>>();
  const ending = new AbortController();
  const startMs = Date.now();
  let [acknowledged, retries, attempt] = [0, 0, 0];

  function nextUnit(): readonly DeviceMessage[] {
    return Array.from({ length: unitReadings }, () => {
      const place = sent.length;
      const lateMs = place % 13 === 0 ? 3_600_011 : 0;
      const message: DeviceMessage = {
        deviceId: `${prefix}${place % devices}`,
        sensor: "temperature",
        // 20 devices in turn: each identity is used once.
        timestampMs: startMs - lateMs + Math.floor(place / devices) * 100,
        value: ((place * 7919) % 1000) / 10 - 20,
      };
      sent.push(message);
      return message;
    });
  }

  function publish(client: IngestServiceClient, readings: readonly Reading[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + attemptLimitMs;
      const call = client.publishReadings(new Metadata(), { deadline }, (error) =>
        error ? reject(error) : resolve(),
      );
      call.write({ readings: [...readings] });
      call.end();
    });
  }

  async function deliver(unit: readonly DeviceMessage[]): Promise<void> {
    const readings = unit.map(
      ({ deviceId, timestampMs, value }): Reading => ({
        deviceId,
        timestamp: protoTimestamp(timestampMs),
        measurement: { $case: "thermostat", value: { temperature: value } },
      }),
    );
    while (!ending.signal.aborted) {
      try {
        await publish(clients[attempt++ % clients.length] as IngestServiceClient, readings);
        acknowledged += unit.length;
        return;
      } catch {
        retries++;
        await delay(retryAfterMs, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  }

  const timer = setInterval(() => {
    if (open.size >= openUnitsMax) return;
    const delivery = deliver(nextUnit()).finally(() => open.delete(delivery));
    open.add(delivery);
  }, unitEveryMs);

  return {
    sent,
    acknowledged: () => acknowledged,
    retries: () => retries,
    async finish() {
      clearInterval(timer);
      await Promise.all(open);
      for (const client of clients) client.close();
    },
    abort() {
      clearInterval(timer);
      ending.abort();
      for (const client of clients) client.close();
    },
  };
}
