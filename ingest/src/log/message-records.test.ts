import { frameReadingsMax, identityOf, isoMilliseconds, sensors } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchOf } from "../../testing/message-log.contract.ts";
import { createMessageRecords, recordBytesMax } from "./message-records.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 4, 22);
const message = { deviceId: "a:b-c.d", timestampMs: startMs, sensor: sensors[0]!.sensor, value: 20.5 };

function recordOf(one: typeof message) {
  const { key, value } = createMessageRecords()(batchOf([one]), 0);
  return { key: key.toString(), value: value.toString() };
}

describe("the record of a message", () => {
  it("is keyed by the identity and holds the four fields in order", () => {
    expect(recordOf(message)).toEqual({
      key: "a:b-c.d|temperature|2026-11-23T20:04:22.000Z",
      value:
        '{"device_id":"a:b-c.d","timestamp":"2026-11-23T20:04:22.000Z","sensor":"temperature","value":20.5}',
    });
  });

  it("says what the message says, for any row of any batch", () => {
    const messages = fc.array(
      fc.record({
        deviceId: fc.stringMatching(/^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,127}$/),
        timestampMs: fc.oneof(
          fc.integer({ min: startMs - 1500, max: startMs + 1500 }),
          fc.integer({ min: Date.UTC(1969, 0, 1), max: Date.UTC(2100, 0, 1) }),
        ),
        sensor: fc.constantFrom(...sensors.map(({ sensor }) => sensor)),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      }),
      { minLength: 1, maxLength: frameReadingsMax / 20 },
    );
    const encode = createMessageRecords();
    fc.assert(
      fc.property(messages, (all) => {
        const batch = batchOf(all);
        for (const [row, one] of all.entries()) {
          const { key, value } = encode(batch, row);
          expect(key.toString()).toBe(identityOf(one));
          const { device_id, timestamp, sensor, value: number } = JSON.parse(value.toString());
          expect({ deviceId: device_id, timestamp, sensor }).toEqual({
            deviceId: one.deviceId,
            timestamp: isoMilliseconds(one.timestampMs),
            sensor: one.sensor,
          });
          // Zero has no sign there.
          expect(number).toBe(one.value + 0);
          expect(key.length + value.length).toBeLessThanOrEqual(recordBytesMax);
        }
      }),
    );
  });

  it.each([
    [20, "20"],
    [-0, "0"],
    [1e-13, "1e-13"],
    [Number.MIN_VALUE, "5e-324"],
    [1013.2500000000001, "1013.2500000000001"],
    [0.1 + 0.2, "0.30000000000000004"],
  ])("writes %d as %s", (value, text) => {
    expect(recordOf({ ...message, value }).value).toContain(`"value":${text}}`);
  });

  it("is at most as large as the bound says, for the longest of everything", () => {
    const longest = { deviceId: "d".repeat(128), timestampMs: startMs, value: -1.2345678901234567e-100 };
    for (const { sensor } of sensors) {
      const { key, value } = recordOf({ ...longest, sensor } as typeof message);
      expect(key.length + value.length).toBeLessThanOrEqual(recordBytesMax);
    }
  });
});
