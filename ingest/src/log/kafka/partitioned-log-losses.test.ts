import type { DeviceMessage } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFakeTopic, type SendFate } from "../../../testing/fake-topic.ts";
import { batchOf } from "../../../testing/message-log.contract.ts";
import { defaultPartitionedLogLimits } from "./partitioned-log-limits.ts";
import { createPartitionedMessageLog } from "./partitioned-message-log.ts";

const fates: fc.Arbitrary<SendFate> = fc.constantFrom("store", "refuse", "store-and-reject", "lose-producer");

const schedules = fc.record({
  /** Number of readings of each append, by device. */
  appends: fc.array(
    fc.array(fc.record({ device: fc.nat(5), count: fc.integer({ min: 1, max: 6 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 12 },
  ),
  fates: fc.array(fates, { maxLength: 60 }),
  partitions: fc.integer({ min: 1, max: 4 }),
  sendRecordsMax: fc.integer({ min: 1, max: 8 }),
  // So short that some appends time out while they are being sent.
  appendTimeoutMs: fc.constantFrom(3, 10, 5000),
});

describe("the partitioned log, whatever happens to its sends", () => {
  it("stores all acknowledged readings, each device's in order, and no reading that was not appended", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async ({ appends, fates: given, partitions, ...limits }) => {
        const fake = createFakeTopic({ partitions });
        fake.fate = ({ attempt }) => given[attempt] ?? "store";
        const log = createPartitionedMessageLog({
          topic: fake.topic,
          limits: {
            ...defaultPartitionedLogLimits,
            ...limits,
            unavailableTimeoutMs: 2,
            lingerMs: 0,
            resend: { firstMs: 0, longestMs: 1 },
            closeGraceMs: 1000,
          },
          onReachable: () => {},
        });
        let timestampMs = 0;
        const batches = appends.map((parts) =>
          parts.flatMap(({ device, count }) =>
            Array.from(
              { length: count },
              (): DeviceMessage => ({
                deviceId: `device-${device}`,
                timestampMs: timestampMs++,
                sensor: "temperature",
                value: 20,
              }),
            ),
          ),
        );
        const outcomes = await Promise.allSettled(batches.map((batch) => log.append(batchOf(batch))));
        await log.close();

        const first = new Set(fake.stored.flat().map(({ key }) => String(key)));
        const keyOf = ({ deviceId, timestampMs: ms }: DeviceMessage) =>
          `${deviceId}|temperature|${new Date(ms).toISOString()}`;
        for (const [i, outcome] of outcomes.entries()) {
          if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "UNAVAILABLE" });
          else for (const one of batches[i] ?? []) expect(first).toContain(keyOf(one));
        }
        const everyAnswerCame = !given.includes("lose-producer") && log.stats().timedOut === 0;
        if (everyAnswerCame) expect(fake.stored.flat()).toHaveLength(first.size);
        const appended = new Set(batches.flat().map(keyOf));
        for (const key of first) expect(appended).toContain(key);
        // A row that timed out and was sent all the same may arrive twice, but never before earlier rows.
        for (let device = 0; device <= 5; device++) {
          const times = [...first].filter((key) => key.startsWith(`device-${device}|`));
          expect(times).toEqual([...times].sort());
        }
        expect(fake.most.sendsOfPartition).toBeLessThanOrEqual(1);
        expect(log.stats().readingsInFlight).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
