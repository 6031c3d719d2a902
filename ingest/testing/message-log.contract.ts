import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { builtInSensors, type DeviceMessage, identityOf } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import type { MessageBatch, MessageLog } from "../src/log/message-log.ts";

/** A log, for the suite. */
export type MessageLogHarness = {
  readonly log: MessageLog;
  /** Returns the stored messages, in order, without duplicates: the first of each identity. */
  readAll(): Promise<readonly DeviceMessage[]>;
  /** Abandons the log, as if its process died, and opens it again. Left out by logs that do not persist. */
  readonly reopen?: () => Promise<MessageLogHarness>;
  /** Closes the log and deletes its data. Closing again is allowed. */
  close(): Promise<void>;
};

/** The suite that every MessageLog must pass; `open` returns an empty one each time. */
export function describeMessageLog(name: string, open: () => Promise<MessageLogHarness>): void {
  async function withLog(test: (harness: MessageLogHarness) => Promise<void>): Promise<void> {
    const harness = await open();
    try {
      await test(harness);
    } finally {
      await harness.close();
    }
  }

  describe(`${name} is a message log that`, () => {
    it("has every message of a batch when append resolves, in order", () =>
      withLog(async ({ log, readAll }) => {
        const messages = seriesOf("a", 5);
        await log.append(batchOf(messages));
        expect(await readAll()).toEqual(messages);
      }));

    it("keeps device ids, sensors, times and values unchanged", () =>
      withLog(async ({ log, readAll }) => {
        const messages = unusualMessages();
        await log.append(batchOf(messages));
        expect(byIdentity(await readAll())).toEqual(byIdentity(messages));
      }));

    it("stores only length rows, even if the columns are longer", () =>
      withLog(async ({ log, readAll }) => {
        const messages = seriesOf("a", 5);
        await log.append({ ...batchOf(messages), length: 2 });
        expect(await readAll()).toEqual(messages.slice(0, 2));
      }));

    it("accepts an empty batch", () =>
      withLog(async ({ log, readAll }) => {
        await log.append(batchOf([]));
        expect(await readAll()).toEqual([]);
      }));

    it("accepts a batch of 100,000 messages of a thousand devices", () =>
      withLog(async ({ log, readAll }) => {
        const messages = Array.from({ length: 100_000 }, (_, i) => message(`device-${i % 1000}`, i));
        await log.append(batchOf(messages));
        const stored = await readAll();
        expect(stored.length).toBe(messages.length);
        expect(sameMessages(stored, messages)).toBe(true);
      }));

    it("accepts concurrent appends, and keeps the order inside each", () =>
      withLog(async ({ log, readAll }) => {
        const devices = Array.from({ length: 50 }, (_, i) => `device-${i}`);
        await Promise.all(devices.map((device) => log.append(batchOf(seriesOf(device, 40)))));
        const stored = await readAll();
        expect(stored.length).toBe(50 * 40);
        for (const device of devices) {
          expect(stored.filter(({ deviceId }) => deviceId === device)).toEqual(seriesOf(device, 40));
        }
      }));

    it("keeps the order of consecutive appends", () =>
      withLog(async ({ log, readAll }) => {
        const messages = seriesOf("a", 30);
        for (const one of messages) await log.append(batchOf([one]));
        expect(await readAll()).toEqual(messages);
      }));

    it("accepts duplicates, and keeps the first of each identity", () =>
      withLog(async ({ log, readAll }) => {
        const [first, second] = [message("a", 1, 10), message("a", 2, 20)];
        // In one batch, in a later batch with the same value, and with another one.
        await log.append(batchOf([first, message("a", 1, 11), second]));
        await log.append(batchOf([second, message("a", 1, 12)]));
        await Promise.all([log.append(batchOf([first])), log.append(batchOf([message("a", 2, 21)]))]);
        expect(await readAll()).toEqual([first, second]);
      }));

    it("returns for each append how many of its readings were stored before, or undefined if it does not know", () =>
      withLog(async ({ log }) => {
        const [first, second] = [message("a", 1, 10), message("a", 2, 20)];
        const appends = [
          [first, message("a", 1, 11), second, first],
          [message("b", 1), message("b", 0)],
          [message("b", 1), message("b", 1, 99), message("b", 2)],
          [first, second],
        ];
        const known = [
          [1, 1],
          [0, 0],
          [1, 1],
          [2, 0],
        ].map(([duplicates, conflicts]) => ({ duplicates, conflicts }));
        // At the same time, so that logs that gather appends do, and one after the other.
        for (const counts of [
          await Promise.all(appends.slice(0, 3).map((messages) => log.append(batchOf(messages)))),
          [await log.append(batchOf(appends[3]!))],
        ]) {
          const expected = known.splice(0, counts.length);
          expect([expected, expected.map(() => undefined)]).toContainEqual(counts);
        }
      }));

    it("distinguishes devices, sensors and times of one series from another's", () =>
      withLog(async ({ log, readAll }) => {
        const base = message("a", 0);
        const messages = [
          base,
          { ...base, deviceId: "A" },
          { ...base, sensor: builtInSensors[1]!.sensor },
          { ...base, timestampMs: base.timestampMs + 1 },
        ];
        await log.append(batchOf(messages));
        expect(byIdentity(await readAll())).toEqual(byIdentity(messages));
      }));

    it("keeps a reading that is late by years", () =>
      withLog(async ({ log, readAll }) => {
        const messages = [message("a", 0), message("a", -20 * 365 * 86_400_000), message("a", 1)];
        for (const one of messages) await log.append(batchOf([one]));
        expect(byIdentity(await readAll())).toEqual(byIdentity(messages));
      }));

    it("rejects an append after it was closed with UNAVAILABLE", async () => {
      const harness = await open();
      await harness.close();
      const failed = harness.log.append(batchOf(seriesOf("a", 1)));
      await expect(failed).rejects.toThrow(RpcError);
      await expect(failed).rejects.toMatchObject({ code: "UNAVAILABLE" });
    });

    it("has stored or rejected every append in progress when it was closed", async () => {
      const harness = await open();
      const appends = Array.from({ length: 20 }, (_, i) =>
        harness.log.append(batchOf(seriesOf(`device-${i}`, 10))),
      );
      const settled = Promise.allSettled(appends);
      await harness.close();
      for (const result of await settled) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "UNAVAILABLE" });
      }
    });

    it("has all acknowledged messages after it was opened again, and continues from there", async () => {
      const harness = await open();
      const messages = seriesOf("a", 3);
      await harness.log.append(batchOf(messages));
      if (harness.reopen === undefined) return harness.close();
      const again = await harness.reopen();
      try {
        expect(await again.readAll()).toEqual(messages);
        const [later] = seriesOf("b", 1);
        await again.log.append(batchOf([message("a", 0, 99), later!]));
        expect(byIdentity(await again.readAll())).toEqual(byIdentity([...messages, later!]));
      } finally {
        await again.close();
      }
    });
  });
}

/** The messages in columns, with additional rows of garbage after the end. */
export function batchOf(messages: readonly DeviceMessage[]): MessageBatch {
  const { length } = messages;
  const size = length + 3;
  const sensorCodes = new Uint16Array(size);
  const timestampsMs = new Float64Array(size).fill(Number.NaN);
  const values = new Float64Array(size).fill(Number.NaN);
  for (const [row, one] of messages.entries()) {
    sensorCodes[row] = builtInSensors.findIndex(({ sensor }) => sensor === one.sensor);
    timestampsMs[row] = one.timestampMs;
    values[row] = one.value;
  }
  return {
    length,
    deviceIds: [...messages.map(({ deviceId }) => deviceId), "?", "?", "?"],
    sensors: builtInSensors,
    sensorCodes,
    timestampsMs,
    values,
  };
}

const startMs = Date.UTC(2026, 10, 23, 20);

function message(deviceId: string, offsetMs: number, value = 20 + (offsetMs % 7)): DeviceMessage {
  return { deviceId, timestampMs: startMs + offsetMs, sensor: builtInSensors[0]!.sensor, value };
}

/** `count` messages of one device, a millisecond apart. */
export function seriesOf(deviceId: string, count: number): DeviceMessage[] {
  return Array.from({ length: count }, (_, i) => message(deviceId, i));
}

function unusualMessages(): DeviceMessage[] {
  const ids = ["a", "0", "Z.z_", "d".repeat(128), "a:b-c.d"];
  const times = [Date.UTC(2000, 0, 1), startMs + 1, startMs + 999, Date.UTC(2099, 11, 31, 23, 59, 59, 999)];
  const messages = builtInSensors.flatMap(({ sensor, minimum, maximum }) =>
    ids.flatMap((deviceId) =>
      times.map((timestampMs, i) => {
        const value = [minimum, maximum, minimum + (maximum - minimum) / 3, (minimum + maximum) / 2 + 1e-13][
          i
        ]!;
        return { deviceId, timestampMs, sensor, value };
      }),
    ),
  );
  return [
    ...messages,
    { ...message("zero", 0), value: 0 },
    { ...message("tiny", 0), value: Number.MIN_VALUE },
  ];
}

function byIdentity(messages: readonly DeviceMessage[]): DeviceMessage[] {
  return [...messages].sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
}

/** Like toEqual, which is slow for many. */
function sameMessages(some: readonly DeviceMessage[], others: readonly DeviceMessage[]): boolean {
  const values = new Map(some.map((one) => [identityOf(one), one.value]));
  return values.size === others.length && others.every((one) => values.get(identityOf(one)) === one.value);
}
