import { describe, expect, it } from "vitest";
import { createLogDevices } from "./log-devices.ts";
import { partitionOf } from "./murmur2.ts";

const ids = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

describe("the devices of a log", () => {
  it("have the partition that Kafka's own clients choose", () => {
    const devices = createLogDevices({ partitions: 7, rememberMax: 2 });
    for (const id of ids("device", 10))
      expect(devices.of(id)).toMatchObject({ id, partition: partitionOf(id, 7) });
  });

  it("are remembered up to a limit, and found again", () => {
    const devices = createLogDevices({ partitions: 3, rememberMax: 2 });
    const first = ids("device", 3).map(devices.of);
    const again = ids("device", 3).map(devices.of);
    expect(again.map((device, i) => device === first[i])).toEqual([true, true, false]);
  });

  it("are replaced when other devices have been asked for many times", () => {
    const devices = createLogDevices({ partitions: 3, rememberMax: 2 });
    const old = ids("old", 2).map(devices.of);
    for (let i = 0; i < 9; i++) ids("new", 2).map(devices.of);
    const found = ids("new", 2).map(devices.of);
    expect(ids("new", 2).map(devices.of)).toEqual(found);
    expect(devices.of("new-0")).toBe(found[0]);
    expect(devices.of("old-0")).not.toBe(old[0]);
  });
});
