import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SensorUnit } from "./mongo-documents.ts";
import { acceptedSinceOf, acceptedSinceRecord } from "./retention-record.ts";
import { changedUnits, unitConflict } from "./sensor-units.ts";

const units = fc.uniqueArray(
  fc.record({ sensor: fc.constantFrom("a", "b", "c", "d"), unit: fc.constantFrom("", "%", "°C") }),
  { selector: ({ sensor }) => sensor },
);

describe("the units of a catalog and of a mesh", () => {
  it("conflict for exactly the sensors that both have in different units", () => {
    fc.assert(
      fc.property(units, units, (catalog, recorded) => {
        const unitOf = (list: readonly SensorUnit[], name: string) =>
          list.find(({ sensor }) => sensor === name)?.unit;
        const expected = ["a", "b", "c", "d"].filter((name) => {
          const [before, now] = [unitOf(recorded, name), unitOf(catalog, name)];
          return before !== undefined && before !== "" && now !== undefined && now !== before;
        });
        expect(
          changedUnits(catalog, recorded)
            .map(({ sensor }) => sensor)
            .sort(),
        ).toEqual(expected);
        expect(unitConflict(catalog, recorded) === undefined).toBe(expected.length === 0);
      }),
    );
  });

  it("are named with both units and the fix", () => {
    const text = unitConflict([{ sensor: "mood", unit: "%" }], [{ sensor: "mood", unit: "smiles" }]);
    expect(text).toMatch(/: mood is recorded in smiles, not in %\. .*--sensors/);
  });

  it("reach ingest in the record of the retention topic, which older versions read and write, too", () => {
    const sensorUnits = [{ sensor: "mood", unit: "smiles" }];
    for (const acceptedSinceMs of [Number.NEGATIVE_INFINITY, 1_700_000_000_000]) {
      const { value } = acceptedSinceRecord({ acceptedSinceMs, sensorUnits });
      expect(acceptedSinceOf(value)).toEqual({ acceptedSinceMs, sensorUnits });
    }
    expect(acceptedSinceOf('{"accepted_since":null}')).toEqual({
      acceptedSinceMs: Number.NEGATIVE_INFINITY,
      sensorUnits: undefined,
    });
  });
});
