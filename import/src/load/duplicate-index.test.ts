import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDuplicateIndex } from "./duplicate-index.ts";

const reading = fc.tuple(
  fc.constantFrom("a", "b", "device-1", "device-2"),
  fc.integer({ min: 0, max: 3 }),
  fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 946_684_800_000, max: 946_684_800_020 })),
  fc.constantFrom(0, 1, 2.5),
);

describe("readings that occur more than once in recordings", () => {
  it("are found exactly as with a map of identities, with the lines of the first conflicts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(reading, { maxLength: 300 }), async (readings) => {
        const index = createDuplicateIndex();
        const first = new Map<string, { value: number; line: number }>();
        let duplicates = 0;
        const conflicts: [line: number, first: number][] = [];
        for (const [line, [deviceId, sensorCode, timestampMs, value]] of readings.entries()) {
          index.add(deviceId, sensorCode, timestampMs, { value, file: 0, line });
          const identity = `${deviceId}|${sensorCode}|${timestampMs}`;
          const known = first.get(identity);
          if (known === undefined) first.set(identity, { value, line });
          else if (known.value === value) duplicates += 1;
          else conflicts.push([line, known.line]);
        }
        const found = await index.find();
        expect(found).toMatchObject({ duplicates, conflicts: conflicts.length, unknown: 0 });
        expect(found.firstConflicts.map((one) => [one.reading.line, one.first.line])).toEqual(
          conflicts.slice(0, 20),
        );
      }),
    );
  });

  it("are found among 200,000 readings on disk, and no others are; no file is left", async () => {
    const folder = mkdtempSync(join(tmpdir(), "index-"));
    const index = createDuplicateIndex({ folder });
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 100_000; at++) {
        const value = round === 1 && at % 50_000 === 7 ? -1 : at;
        const place = { value, file: round, line: at };
        index.add(`thermostat-${at % 1000}`, at % 4, 1_700_000_000_000 + 1000 * at, place);
      }
    }
    expect(await index.find()).toEqual({
      duplicates: 99_998,
      conflicts: 2,
      unknown: 0,
      firstConflicts: [7, 50_007].map((line) => ({
        reading: { value: -1, file: 1, line },
        first: { value: line, file: 0, line },
      })),
    });
    index.close();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it("are unknown where the file cannot be written", async () => {
    const index = createDuplicateIndex({ folder: join(tmpdir(), "there", "is", "none") });
    for (let at = 0; at < 50_000; at++) index.add("a", 0, at, { value: 1, file: 0, line: at });
    index.add("a", 0, 49_999, { value: 1, file: 0, line: 50_000 });
    const { duplicates, unknown } = await index.find();
    expect(unknown).toBeGreaterThan(0);
    expect(unknown % 340).toBe(0);
    expect(duplicates).toBeLessThanOrEqual(1);
    index.close();
  });
});
