import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  acked,
  ackUnit,
  createFakeSender,
  createTestOutbox,
  failed,
  numbers,
} from "../../testing/outbox-fixture.ts";
import { openSpill } from "./spill.ts";

describe("outbox with a spill folder", () => {
  let folder: string;
  const problems: string[] = [];
  const open = (bytesMax = 1e9) =>
    openSpill({ folder, bytesMax, tag: "test", onProblem: ({ file }) => problems.push(file) });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "spill-"));
    problems.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes units to disk when the memory is full, and loses none", async () => {
    const fake = createFakeSender();
    const { outbox, clock, add } = createTestOutbox({ sender: fake.sender, spill: open() });
    expect(add(1000)).toBe(1000);
    expect(outbox.counts()).toMatchObject({ dropped: 0, pending: 1000 });
    expect(outbox.counts().spilled).toBeGreaterThanOrEqual(800);
    const flushed = outbox.flush();
    while (fake.waiting.length > 0) await fake.reply(acked(fake.sent.at(-fake.waiting.length)!.length));
    await clock.advanceAsync(10_000);
    await flushed;
    expect(fake.sent.flat()).toEqual(numbers(1, 1000));
    expect(outbox.counts()).toMatchObject({ acked: 1000, pending: 0, spilled: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("queues newer units behind those on disk, even when memory is free again", async () => {
    const fake = createFakeSender();
    const { outbox, add } = createTestOutbox({ sender: fake.sender, spill: open() });
    add(500);
    while (fake.sent.length < 6) await fake.reply(acked(50));
    add(100);
    const flushed = outbox.flush();
    while (fake.waiting.length > 0) await fake.reply(acked(50));
    await flushed;
    expect(fake.sent.flat()).toEqual(numbers(1, 600));
  });

  it("keeps a unit on disk when it is closed while sending it", async () => {
    const fake = createFakeSender();
    const { outbox, clock, add } = createTestOutbox({ sender: fake.sender, spill: open() });
    add(500);
    while (fake.sent.length < 7) await fake.reply(acked(50));
    const closing = outbox.close({ limitMs: 10 });
    await clock.advanceAsync(10);
    expect(await closing).toEqual({ undelivered: 0 });
    expect(outbox.counts()).toMatchObject({ acked: 300, pending: 200, spilled: 200 });
    expect(readdirSync(folder)).toHaveLength(4);
  });

  it("keeps the order of a device's units across a restart, the one that was being sent included", async () => {
    const fake = createFakeSender();
    const first = createTestOutbox({ sender: fake.sender, spill: open() });
    // One is being sent from memory, others wait in memory, the newest are on disk.
    first.add(430);
    const closing = first.outbox.close({ limitMs: 10 });
    await first.clock.advanceAsync(10);
    await closing;
    const back = createFakeSender(ackUnit);
    const second = createTestOutbox({ sender: back.sender, spill: open() });
    second.outbox.add("device", 0, 9_999_000, 1);
    await second.outbox.flush();
    expect(back.sent.flat()).toEqual([...numbers(1, 430), 9999]);
  });

  it("completes units early and spills them if memory is smaller than a unit", () => {
    const fake = createFakeSender();
    const { outbox, add } = createTestOutbox({
      sender: fake.sender,
      spill: open(),
      limits: { frameReadings: 10, unitReadings: 500, memoryReadings: 100 },
    });
    expect(add(1000)).toBe(1000);
    expect(outbox.counts()).toMatchObject({ dropped: 0, pending: 1000, spilled: 900 });
  });

  it("writes the remaining units to disk when it is closed; a new outbox sends them first", async () => {
    const unavailable = createFakeSender(() => failed("UNAVAILABLE"));
    const first = createTestOutbox({ sender: unavailable.sender, spill: open() });
    first.add(470);
    const closing = first.outbox.close({ limitMs: 1000 });
    await first.clock.advanceAsync(5000);
    expect(await closing).toEqual({ undelivered: 0 });
    expect(first.outbox.counts()).toMatchObject({ added: 470, dropped: 0, pending: 470, spilled: 470 });

    const back = createFakeSender(ackUnit);
    const second = createTestOutbox({ sender: back.sender, spill: open() });
    expect(second.outbox.counts()).toMatchObject({ added: 470, pending: 470 });
    second.outbox.add("device", 0, 9_999_000, 1);
    await second.outbox.flush();
    expect(back.sent.flat().toSorted((a, b) => a - b)).toEqual([...numbers(1, 470), 9999]);
    expect(back.sent.at(-1)).toEqual([9999]);
    expect(second.outbox.counts()).toMatchObject({ acked: 471, pending: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("sends a unit from disk again after a process that died while sending it", async () => {
    const unavailable = createFakeSender(() => failed("UNAVAILABLE"));
    const first = createTestOutbox({ sender: unavailable.sender, spill: open() });
    first.add(60);
    const closing = first.outbox.close({ limitMs: 10 });
    await first.clock.advanceAsync(1000);
    await closing;
    // Read and never answered: this process has died.
    const dying = createFakeSender();
    const second = createTestOutbox({ sender: dying.sender, spill: open() });
    void second.outbox.flush();
    expect(dying.waiting).toHaveLength(1);
    const back = createFakeSender(ackUnit);
    const third = createTestOutbox({ sender: back.sender, spill: open() });
    await third.outbox.flush();
    expect(back.sent.flat().toSorted((a, b) => a - b)).toEqual(numbers(1, 60));
  });

  it("drops the newest when the disk is full too", () => {
    const fake = createFakeSender();
    const { outbox, add } = createTestOutbox({ sender: fake.sender, spill: open(6_000) });
    add(1000);
    const { added, dropped, pending, spilled } = outbox.counts();
    expect(spilled).toBeGreaterThan(0);
    expect(dropped).toBeGreaterThan(0);
    expect(pending + dropped).toBe(added);
  });

  it("sets a broken file aside, reports it, and sends the others", async () => {
    const unavailable = createFakeSender(() => failed("UNAVAILABLE"));
    const first = createTestOutbox({ sender: unavailable.sender, spill: open() });
    first.add(150);
    const closing = first.outbox.close({ limitMs: 10 });
    await first.clock.advanceAsync(1000);
    await closing;
    const [torn] = readdirSync(folder).sort();
    writeFileSync(join(folder, torn!), Buffer.from([50, 0, 0, 0, 255, 255, 0, 0, 1, 2, 3]));
    const back = createFakeSender(ackUnit);
    const second = createTestOutbox({ sender: back.sender, spill: open() });
    await second.outbox.flush();
    expect(second.outbox.counts()).toMatchObject({ added: 150, acked: 100, dropped: 50, pending: 0 });
    expect(problems).toEqual([torn]);
    expect(readdirSync(folder)).toEqual([`${torn}.broken`]);
  });
});
