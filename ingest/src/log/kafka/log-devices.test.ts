import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchOf, seriesOf } from "../../../testing/message-log.contract.ts";
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

  it("are kept up to a limit, and found again", () => {
    const devices = createLogDevices({ partitions: 3, rememberMax: 2 });
    const first = ids("device", 3).map(devices.of);
    const again = ids("device", 3).map(devices.of);
    expect(again.map((device, i) => device === first[i])).toEqual([true, true, false]);
  });

  it("are replaced when other devices have been requested many times", () => {
    const devices = createLogDevices({ partitions: 3, rememberMax: 2 });
    const old = ids("old", 2).map(devices.of);
    for (let i = 0; i < 9; i++) ids("new", 2).map(devices.of);
    const found = ids("new", 2).map(devices.of);
    expect(ids("new", 2).map(devices.of)).toEqual(found);
    expect(devices.of("new-0")).toBe(found[0]);
    expect(devices.of("old-0")).not.toBe(old[0]);
  });

  it("sort the rows of a batch by partition, and keep their order inside each", () => {
    const batches = fc.array(fc.array(fc.nat(12), { maxLength: 40 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), batches, (partitions, all) => {
        const devices = createLogDevices({ partitions, rememberMax: 4 });
        for (const numbers of all) {
          const deviceIds = numbers.map((one) => `device-${one}`);
          const {
            rows,
            ends,
            devices: found,
          } = devices.sort(batchOf(deviceIds.flatMap((id) => seriesOf(id, 1))));
          expect(found.map(({ id }) => id)).toEqual(deviceIds);
          const parts = ends.map((end, partition) => rows.slice(ends[partition - 1] ?? 0, end));
          const expected = parts.map((_, partition) =>
            deviceIds.flatMap((id, row) => (partitionOf(id, partitions) === partition ? [row] : [])),
          );
          expect(parts).toEqual(expected);
          expect(ends).toHaveLength(partitions);
          expect(ends.at(-1)).toBe(deviceIds.length);
        }
      }),
    );
  });
});
