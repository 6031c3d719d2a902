import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { batchOf } from "../../../testing/message-log.contract.ts";
import { createMessageRecords } from "../message-records.ts";
import { createPartitionRows, type PartitionSend } from "./partition-rows.ts";
import { holdAppend, type QueuedAppend } from "./queued-append.ts";

const messages = (count: number, deviceId = "a"): DeviceMessage[] =>
  Array.from({ length: count }, (_, i) => ({ deviceId, timestampMs: i, sensor: "temperature", value: i }));

function hold(count: number, deviceId?: string): QueuedAppend {
  const { append, answer } = holdAppend({
    batch: batchOf(messages(count, deviceId)),
    timeoutMs: 60_000,
    onTimeout: () => {},
    onAnswered: () => {},
  });
  answer.catch(() => {});
  return append;
}

const rowsOf = (append: QueuedAppend) => Array.from({ length: append.batch.length }, (_, row) => row);
const fail = (append: QueuedAppend) => append.fail(unavailable({ message: "gone", retryDelayMs: 1 }));
const open = (limits: { recordsMax?: number; bytesMax?: number } = {}) =>
  createPartitionRows({ encode: createMessageRecords(), recordsMax: 100, bytesMax: 1e6, ...limits });
const valuesOf = (send: PartitionSend | undefined) =>
  send?.records.map(({ value }) => JSON.parse(String(value)).value);

describe("the rows of a partition", () => {
  it("are taken in the order they were added, and told by append", () => {
    const rows = open({ recordsMax: 4 });
    const [first, second] = [hold(3), hold(5, "b")];
    rows.add(first, [0, 2]);
    rows.add(second, rowsOf(second));
    expect(rows.length).toBe(7);
    const send = rows.take();
    expect(valuesOf(send)).toEqual([0, 2, 0, 1]);
    expect(send?.parts).toEqual([
      { append: first, rows: 2 },
      { append: second, rows: 2 },
    ]);
    expect(valuesOf(rows.take())).toEqual([2, 3, 4]);
    expect(rows.take()).toBeUndefined();
    expect(rows.length).toBe(0);
  });

  it("are taken up to the bytes of a send", () => {
    const rows = open({ bytesMax: 300 });
    const append = hold(5);
    rows.add(append, rowsOf(append));
    const sizes = [];
    for (let send = rows.take(); send !== undefined; send = rows.take()) {
      sizes.push(send.records.reduce((sum, { key, value }) => sum + key.length + value.length, 0));
    }
    expect(sizes).toHaveLength(3);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(300);
  });

  it("are taken one by one where one is larger than that", () => {
    const rows = open({ bytesMax: 10 });
    const append = hold(2);
    rows.add(append, rowsOf(append));
    expect([valuesOf(rows.take()), valuesOf(rows.take()), rows.take()]).toEqual([[0], [1], undefined]);
  });

  it("are not sent when their append was answered", () => {
    const rows = open();
    const [gone, here] = [hold(3), hold(2)];
    rows.add(gone, rowsOf(gone));
    rows.add(here, rowsOf(here));
    fail(gone);
    expect(valuesOf(rows.take())).toEqual([0, 1]);
    expect(rows.length).toBe(0);
  });

  it.each([
    ["none of them", 0],
    ["some of them", 2],
    ["all of one append", 3],
  ])("are forgotten when their append was answered and %s were taken", (_, taken) => {
    const rows = open({ recordsMax: Math.max(taken, 1) });
    const [gone, here] = [hold(3), hold(2, "b")];
    rows.add(gone, rowsOf(gone));
    if (taken > 0) rows.take();
    rows.add(here, rowsOf(here));
    fail(gone);
    rows.dropAnswered();
    expect(rows.length).toBe(2);
    const rest = [rows.take(), rows.take()].flatMap((send) => valuesOf(send) ?? []);
    expect(rest).toEqual([0, 1]);
    expect(rows.length).toBe(0);
  });

  it("keep their place when another append was answered", () => {
    const rows = open({ recordsMax: 2 });
    const [here, gone] = [hold(5), hold(2)];
    rows.add(here, rowsOf(here));
    rows.add(gone, rowsOf(gone));
    rows.take();
    fail(gone);
    rows.dropAnswered();
    expect(rows.length).toBe(3);
    expect(valuesOf(rows.take())).toEqual([2, 3]);
  });
});
