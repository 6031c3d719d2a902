import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { describe, expect, it } from "vitest";
import {
  acked,
  ackUnit,
  createFakeSender,
  createTestOutbox,
  failed,
  limits,
  numbers,
  otherDevice,
  settle,
  valuesOf,
} from "../../testing/outbox-fixture.ts";
import type { UnitSender } from "../delivery/unit.ts";
import { createRandom } from "../random.ts";

describe("outbox", () => {
  it("completes a unit when it is full", async () => {
    const { sender, sent } = createFakeSender(ackUnit);
    const { outbox, add } = createTestOutbox({ sender });
    add(120);
    await settle();
    expect(sent).toEqual([numbers(1, 50), numbers(51, 100)]);
    expect(outbox.counts()).toMatchObject({ added: 120, acked: 100, pending: 20 });
  });

  it("completes a unit when its first reading is old enough", async () => {
    const { sender, sent } = createFakeSender(ackUnit);
    const { clock, add } = createTestOutbox({ sender });
    add(3);
    clock.advance(999);
    expect(sent).toEqual([]);
    clock.advance(1);
    expect(sent).toEqual([[1, 2, 3]]);
  });

  it("measures the age of each unit from its own first reading", async () => {
    const fake = createFakeSender();
    const { clock, add } = createTestOutbox({ sender: fake.sender });
    add(1);
    clock.advance(900);
    add(50);
    expect(fake.sent).toEqual([numbers(1, 50)]);
    await fake.reply(acked(50));
    clock.advance(999);
    expect(fake.sent).toHaveLength(1);
    clock.advance(1);
    expect(fake.sent).toEqual([numbers(1, 50), [51]]);
    add(1);
    await fake.reply(acked(1));
    expect(fake.sent).toHaveLength(2);
  });

  it("adds readings to a complete unit while no sender is free, up to the limit of a unit", async () => {
    const fake = createFakeSender();
    const { clock, add } = createTestOutbox({ sender: fake.sender });
    add(1);
    add(1, otherDevice);
    for (let second = 0; second < 10; second++) {
      clock.advance(1000);
      add(1);
    }
    expect(fake.sent).toEqual([[1], [2]]);
    await fake.reply(acked(1));
    expect(fake.sent).toEqual([[1], [2], numbers(3, 12)]);
    expect(fake.inFlightMost()).toBe(2);
  });

  it("never has two units with readings of one device in flight, whatever fails and is retried", async () => {
    const random = createRandom(7n, 0);
    const sending = new Map<string, number>();
    const arrived: string[] = [];
    const sender: UnitSender = {
      async send(unit) {
        const readings = unit.frames.flatMap(({ bytes }) => PublishReadingsRequest.decode(bytes).readings);
        const devices = new Set(readings.map(({ deviceId }) => deviceId));
        for (const device of devices) {
          expect(sending.get(device) ?? 0).toBe(0);
          sending.set(device, 1);
        }
        // Some attempts arrive without an acknowledgement, some do not arrive, and their durations differ.
        const rounds = Math.floor(random() * 5);
        for (let round = 0; round < rounds; round++) await settle();
        const arrives = random() < 0.7;
        if (arrives) {
          arrived.push(...readings.map((reading) => `${reading.deviceId} ${reading.timestamp?.seconds}`));
        }
        for (const device of devices) sending.set(device, 0);
        return arrives && random() < 0.7 ? ackUnit(unit) : failed("UNAVAILABLE");
      },
      close() {},
    };
    const { outbox, clock, add } = createTestOutbox({ sender, limits: { ...limits, unitReadings: 7 } });
    const devices = Array.from({ length: 12 }, (_, index) => `device-${index}`);
    for (let round = 0; round < 15; round++) for (const device of devices) add(1, device);
    const flushed = outbox.flush();
    while (outbox.counts().pending > 0) await clock.advanceAsync(1000);
    await flushed;
    // The first arrival of each reading follows the first arrivals of all earlier ones of its device.
    const first = [...new Set(arrived)];
    for (const device of devices) {
      const seconds = first
        .filter((text) => text.startsWith(`${device} `))
        .map((text) => Number(text.split(" ")[1]));
      expect(seconds).toHaveLength(15);
      expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
    }
  });

  it("sends a unit again until it is acknowledged, waiting longer each time", async () => {
    const fake = createFakeSender((unit, attempt) => (attempt < 3 ? failed("UNAVAILABLE") : ackUnit(unit)));
    const { outbox, clock, add, events } = createTestOutbox({ sender: fake.sender });
    add(50);
    const attempts: number[] = [];
    for (let ms = 0; ms <= 800; ms += 50) {
      attempts.push(fake.sent.length);
      await clock.advanceAsync(50);
    }
    // After 100, 200 and 400 ms more.
    expect(attempts.indexOf(2)).toBe(2);
    expect(attempts.indexOf(3)).toBe(6);
    expect(attempts.indexOf(4)).toBe(14);
    expect(new Set(fake.sent.map((unit) => unit.join()))).toEqual(new Set([numbers(1, 50).join()]));
    expect(outbox.counts()).toMatchObject({ acked: 50, pending: 0, dropped: 0 });
    expect(events.map(({ kind }) => kind)).toEqual([
      "attemptFailed",
      "attemptFailed",
      "attemptFailed",
      "unitAcked",
    ]);
  });

  it("waits as long as the server requests", async () => {
    const fake = createFakeSender((unit, attempt) =>
      attempt === 0 ? failed("UNAVAILABLE", 7000) : ackUnit(unit),
    );
    const { clock, add } = createTestOutbox({ sender: fake.sender });
    add(50);
    await clock.advanceAsync(6999);
    expect(fake.sent).toHaveLength(1);
    await clock.advanceAsync(2000);
    expect(fake.sent).toHaveLength(2);
  });

  it("drops the newest readings when the memory is full, and counts them", async () => {
    const fake = createFakeSender();
    const { outbox, add, events } = createTestOutbox({ sender: fake.sender });
    expect(add(250)).toBe(200);
    expect(outbox.counts()).toMatchObject({ added: 250, acked: 0, dropped: 50, pending: 200 });
    expect(events).toEqual([{ kind: "full" }]);
    await fake.reply(acked(50));
    expect(add(10)).toBe(10);
  });

  it("makes the caller wait when the memory is full, if configured", async () => {
    const fake = createFakeSender();
    const { outbox, add } = createTestOutbox({ sender: fake.sender, whenFull: "wait" });
    expect(add(201)).toBe(200);
    expect(outbox.counts()).toMatchObject({ added: 200, dropped: 0 });
    let capacity = false;
    const waiting = outbox.capacity().then(() => (capacity = true));
    await settle();
    expect(capacity).toBe(false);
    await fake.reply(acked(50));
    await waiting;
    expect(add(1)).toBe(1);
    const given = new AbortController();
    add(200);
    const refused = outbox.capacity(given.signal);
    given.abort(new Error("enough"));
    await expect(refused).rejects.toThrow("enough");
  });

  it("counts rejected readings and keeps the first of them", async () => {
    const refusal = {
      ordinal: 0n,
      identity: "x|temperature|",
      fieldPath: "device_id",
      ruleId: "string.pattern",
      text: "no",
    };
    const { sender } = createFakeSender((unit) => ({
      kind: "acked",
      accepted: unit.readings - 2,
      refused: 2,
      refusedReadings: [refusal, refusal],
    }));
    const { outbox, add } = createTestOutbox({ sender, limits: { ...limits, refusedKept: 3 } });
    add(150);
    await settle();
    expect(outbox.counts()).toMatchObject({ acked: 144, refused: 6, pending: 0 });
    expect(outbox.refusedReadings()).toEqual([refusal, refusal, refusal]);
  });

  it("gives up only the frame that is rejected as a whole, and no other", async () => {
    const { sender } = createFakeSender((unit) =>
      valuesOf(unit).includes(23) ? failed("INVALID_ARGUMENT") : ackUnit(unit),
    );
    const { outbox, add } = createTestOutbox({ sender });
    add(50);
    await settle();
    expect(outbox.counts()).toMatchObject({ acked: 40, refused: 10, pending: 0 });
    expect(outbox.refusedReadings()[0]!.text).toContain("10 readings");
  });

  it("sends smaller units if one is too large", async () => {
    const { sender } = createFakeSender((unit) =>
      unit.readings > 20 ? failed("RESOURCE_EXHAUSTED") : ackUnit(unit),
    );
    const { outbox, add } = createTestOutbox({ sender });
    add(50);
    await settle();
    expect(outbox.counts()).toMatchObject({ acked: 50, refused: 0, pending: 0 });
  });

  it("flushes without waiting for the age of a unit", async () => {
    const { sender, sent } = createFakeSender(ackUnit);
    const { outbox, add } = createTestOutbox({ sender });
    add(7);
    await outbox.flush();
    expect(sent).toEqual([numbers(1, 7)]);
  });

  it("sends new readings at once while it flushes", async () => {
    const fake = createFakeSender();
    const { outbox, add } = createTestOutbox({ sender: fake.sender });
    add(1);
    const flushed = outbox.flush();
    add(1);
    expect(fake.sent).toEqual([[1]]);
    add(1, otherDevice);
    expect(fake.sent).toEqual([[1], [3]]);
    await fake.reply(acked(1));
    expect(fake.sent).toEqual([[1], [3], [2]]);
    await fake.reply(acked(1));
    await fake.reply(acked(1));
    await flushed;
  });

  it("closes once, within the limit, and returns the number of remaining readings", async () => {
    const fake = createFakeSender();
    const { outbox, clock, add } = createTestOutbox({ sender: fake.sender });
    add(120);
    const closing = outbox.close({ limitMs: 3000 });
    expect(outbox.close({ limitMs: 1 })).toBe(closing);
    await fake.reply(acked(50));
    await clock.advanceAsync(3000);
    expect(await closing).toEqual({ undelivered: 70 });
    expect(outbox.counts()).toMatchObject({ added: 120, acked: 50, dropped: 70, pending: 0 });
    expect(clock.timers()).toBe(0);
    expect(() => add(1)).toThrow("closed");
  });
});
