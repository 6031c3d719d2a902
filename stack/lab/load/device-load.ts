import { setTimeout as delay } from "node:timers/promises";
import type { DeviceMessage } from "@devicemesh/proto";
import { createSender, type DeviceIdentity, type SendingWay, sendingWays } from "./senders.ts";

/** Readings sent at a steady rate by a gateway with a certificate; each unit is retried until it is acknowledged. */
export type DeviceLoad = {
  readonly sent: readonly DeviceMessage[];
  readonly acknowledged: () => number;
  /** How many of these were sent in which way. */
  readonly acknowledgedBy: () => Readonly<Record<SendingWay, number>>;
  /** Attempts that failed and were repeated. */
  readonly retries: () => number;
  /** Stops making units, and resolves when all units are acknowledged. */
  finish(): Promise<void>;
  /** Ends all attempts. */
  abort(): void;
};

const unitEveryMs = 250;
const unitReadings = 50;
const devices = 20;
const retryAfterMs = 300;
/** Beyond this number, no new units are made: a stack that accepts nothing for minutes must not fill the memory. */
const openUnitsMax = 400;
/** Of ten units, most go over gRPC. */
const wayOfUnit = (unit: number): SendingWay =>
  unit % 10 === 3 ? "HTTP" : unit % 10 === 7 ? "MQTT" : "gRPC";

/** Starts a load of 200 temperatures a second, every 13th of them an hour late, to these nodes in turn. */
export function startDeviceLoad(options: {
  /** The address of each node with an Envoy. */
  readonly hosts: readonly string[];
  readonly identity: DeviceIdentity;
  /** The first part of the device ids, which the gateway's certificate must cover. */
  readonly prefix: string;
}): DeviceLoad {
  const { hosts, identity, prefix } = options;
  const senders = new Map(
    sendingWays.map((way) => [way, hosts.map((host) => createSender[way](host, identity))]),
  );
  const sent: DeviceMessage[] = [];
  const open = new Set<Promise<void>>();
  const ending = new AbortController();
  const startMs = Date.now();
  const acknowledgedBy: Record<SendingWay, number> = { gRPC: 0, HTTP: 0, MQTT: 0 };
  let [units, retries, attempt] = [0, 0, 0];

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

  async function deliver(unit: readonly DeviceMessage[], way: SendingWay): Promise<void> {
    const ways = senders.get(way) ?? [];
    while (!ending.signal.aborted) {
      try {
        await ways[attempt++ % ways.length]?.send(unit);
        acknowledgedBy[way] += unit.length;
        return;
      } catch {
        retries++;
        await delay(retryAfterMs, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  }

  const timer = setInterval(() => {
    if (open.size >= openUnitsMax) return;
    const delivery = deliver(nextUnit(), wayOfUnit(units++)).finally(() => open.delete(delivery));
    open.add(delivery);
  }, unitEveryMs);
  const close = (): void => {
    for (const sender of [...senders.values()].flat()) sender.close();
  };

  return {
    sent,
    acknowledged: () => Object.values(acknowledgedBy).reduce((sum, count) => sum + count, 0),
    acknowledgedBy: () => ({ ...acknowledgedBy }),
    retries: () => retries,
    async finish() {
      clearInterval(timer);
      await Promise.all(open);
      close();
    },
    abort() {
      clearInterval(timer);
      ending.abort();
      close();
    },
  };
}
