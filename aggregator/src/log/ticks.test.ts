import { describe, expect, it } from "vitest";
import { createTickMemory, type Tick } from "./ticks.ts";

const tick = (partition: number, offset: number, appendedMs: number): Tick => ({
  partition,
  offset,
  appendedMs,
});
const committed = (...offsets: number[]) => new Map(offsets.map((offset, partition) => [partition, offset]));

describe("createTickMemory", () => {
  it("reports nothing until the consumer has passed a tick in every partition", () => {
    const ticks = createTickMemory({ partitions: 2, clockSkewMs: 0 });
    expect(ticks.completeThroughMs(committed(9, 9))).toBeUndefined();
    ticks.add([tick(0, 3, 1000), tick(1, 7, 1001)]);
    expect(ticks.completeThroughMs(committed(4, 7))).toBeUndefined();
    expect(ticks.completeThroughMs(committed(4, 8))).toBe(1000);
  });

  it("reports the slowest partition, each by its latest passed tick", () => {
    const ticks = createTickMemory({ partitions: 2, clockSkewMs: 0 });
    ticks.add([tick(0, 3, 1000), tick(1, 7, 1001)]);
    ticks.add([tick(0, 5, 2000), tick(1, 9, 2001)]);
    ticks.add([tick(0, 8, 3000), tick(1, 10, 3001)]);
    expect(ticks.completeThroughMs(committed(9, 10))).toBe(2001);
  });

  it("works without the ticks that were lost", () => {
    const ticks = createTickMemory({ partitions: 2, clockSkewMs: 0 });
    ticks.add([tick(0, 3, 1000), tick(1, 7, 1001)]);
    ticks.add([tick(1, 9, 2001)]);
    expect(ticks.completeThroughMs(committed(99, 99))).toBe(1000);
    ticks.add([tick(0, 5, 3000)]);
    expect(ticks.completeThroughMs(committed(99, 99))).toBe(2001);
  });

  it("never goes back, even if offsets and append times do", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0 });
    ticks.add([tick(0, 3, 1000), tick(0, 4, 900)]);
    expect(ticks.completeThroughMs(committed(4))).toBe(1000);
    expect(ticks.completeThroughMs(committed(5))).toBe(1000);
    expect(ticks.completeThroughMs(committed(0))).toBe(1000);
  });

  it("subtracts the skew of the brokers' clocks", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 250 });
    ticks.add([tick(0, 3, 1000)]);
    expect(ticks.completeThroughMs(committed(4))).toBe(750);
  });

  it("keeps at most its maximum, more coarsely in the past, and always the oldest and the newest", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0, ticksMax: 8 });
    for (let offset = 0; offset < 1000; offset++) ticks.add([tick(0, offset, offset * 10)]);
    expect(ticks.completeThroughMs(committed(1))).toBe(0);
    const steps = new Set<number | undefined>();
    for (let next = 1; next <= 1000; next++) {
      const completeMs = ticks.completeThroughMs(committed(next)) as number;
      expect(completeMs).toBeLessThan(next * 10);
      steps.add(completeMs);
    }
    expect(steps.size).toBeLessThanOrEqual(9);
    expect(ticks.completeThroughMs(committed(1000))).toBe(9990);
  });

  it("does not pass ticks of a time in which a clock was behind until its messages are checked", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0 });
    ticks.add([tick(0, 3, 1000), tick(0, 5, 400), tick(0, 7, 900)]);
    expect(ticks.steppedBackMs).toEqual(new Map([[0, 100]]));
    ticks.add([tick(0, 9, 1200), tick(0, 11, 1300)]);
    expect(ticks.steppedBackMs).toEqual(new Map());
    expect(ticks.completeThroughMs(committed(12), committed(8))).toBe(1000);
    expect(ticks.completeThroughMs(committed(12), committed(9))).toBe(1300);
  });

  it("waits for the check of each such time separately", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0 });
    ticks.add([1000, 400, 1200, 500, 1300].map((ms, offset) => tick(0, offset, ms)));
    expect(ticks.completeThroughMs(committed(9), committed(1))).toBe(1000);
    expect(ticks.completeThroughMs(committed(9), committed(2))).toBe(1200);
    expect(ticks.completeThroughMs(committed(9), committed(4))).toBe(1300);
  });

  it("does not pass the first ticks before a check if messages exist, because a clock may have stepped back before", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0, newestMs: new Map([[0, 900]]) });
    ticks.add([tick(0, 6, 500), tick(0, 8, 1000)]);
    expect(ticks.completeThroughMs(committed(7), committed(7))).toBe(500);
    expect(ticks.completeThroughMs(committed(9), committed(7))).toBe(500);
    expect(ticks.completeThroughMs(committed(9), committed(8))).toBe(1000);
  });

  it("rejects a partition that the topic does not have", () => {
    const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0 });
    expect(() => ticks.add([tick(1, 0, 0)])).toThrow("partition 1 of 1");
  });
});
