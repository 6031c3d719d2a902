import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRepeatCounter } from "./duplicate-counter.ts";

const reading = fc.tuple(
  fc.constantFrom("a", "b", "device-1", "device-2"),
  fc.integer({ min: 0, max: 3 }),
  fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 946_684_800_000, max: 946_684_800_020 })),
  fc.constantFrom(0, 1, 2.5),
);

describe("duplicates in a recording", () => {
  it("are recognized exactly like with a map of identities", () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 300 }), (readings) => {
        const counter = createRepeatCounter();
        const first = new Map<string, number>();
        for (const [deviceId, sensorCode, timestampMs, value] of readings) {
          const identity = `${deviceId}|${sensorCode}|${timestampMs}`;
          const known = first.get(identity);
          const expected = known === undefined ? "first" : known === value ? "duplicate" : "conflict";
          expect(counter.look(deviceId, sensorCode, timestampMs, value)).toBe(expected);
          if (known === undefined) first.set(identity, value);
        }
      }),
    );
  });

  it("are found among a hundred thousand readings of similar devices, and no other reading counts as one", () => {
    const counter = createRepeatCounter();
    const counts = { first: 0, duplicate: 0, conflict: 0, unknown: 0 };
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 100_000; at++) {
        counts[counter.look(`thermostat-${at % 1000}`, at % 4, 1_700_000_000_000 + 1000 * at, at)] += 1;
      }
    }
    expect(counts).toEqual({ first: 100_000, duplicate: 100_000, conflict: 0, unknown: 0 });
  });

  it("beyond the bound are unknown, while those of earlier readings are still found", () => {
    const counter = createRepeatCounter(2);
    expect([1, 2, 3, 1, 3].map((at) => counter.look("a", 0, at, 7))).toEqual([
      "first",
      "first",
      "unknown",
      "duplicate",
      "unknown",
    ]);
  });
});
