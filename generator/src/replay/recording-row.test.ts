import { createSensorCatalog } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findColumns, readRow, readTimestamp } from "./recording-row.ts";

const columns = { device_id: 0, timestamp: 1, sensor: 2, value: 3, count: 4 };
const catalog = createSensorCatalog();
const row = (text: string) => readRow(text.split(","), columns, catalog);
const reasonOf = (text: string) => {
  const read = row(text);
  return read.kind === "bad" ? read.reason : "none";
};

describe("columns of a recording", () => {
  it("are found in any order, among others, in capitals", () => {
    expect(findColumns(["Value", "note", "sensor", "timestamp", "device_id"])).toEqual({
      kind: "found",
      columns: { device_id: 4, timestamp: 3, sensor: 2, value: 0, count: 5 },
    });
  });

  it("must have unique names: two columns with one name are ambiguous", () => {
    expect(findColumns(["device_id", "timestamp", "sensor", "value", "VALUE"])).toEqual({
      kind: "problem",
      problem: 'two columns are named "value"',
    });
    expect(findColumns(["device_id", "timestamp", "sensor", "value", "", ""])).toMatchObject({
      kind: "found",
    });
  });

  it("are named if they are missing", () => {
    expect(findColumns(["device", "timestamp", "value"])).toEqual({
      kind: "problem",
      problem: "the columns device_id, sensor missing",
    });
  });
});

describe("row of a recording", () => {
  it("is read", () => {
    const reading = {
      kind: "reading",
      deviceId: "a-1",
      sensorCode: 0,
      timestampMs: Date.UTC(2010, 0, 1, 1),
      value: -4.5,
    };
    expect(row("a-1,2010-01-01T01:00:00.000Z,temperature,-4.5")).toEqual(reading);
    const among = { device_id: 1, timestamp: 2, sensor: 3, value: 5, count: 6 };
    expect(
      readRow(["", "a-1", "2010-01-01T01:00:00Z", "temperature", "Hall 0, east", "-4.5"], among, catalog),
    ).toEqual(reading);
  });

  it("must have as many fields as the header, because 21,5 is not 21", () => {
    expect(reasonOf("a,2010-01-01T01:00:00Z,temperature,21,5")).toBe("it has 5 fields, the header has 4");
    expect(reasonOf("a,2010-01-01T01:00:00Z,temperature")).toBe("it has 3 fields, the header has 4");
  });

  it("reports its problem", () => {
    expect(reasonOf("ä,2010-01-01T01:00:00Z,temperature,1")).toContain('device_id "ä"');
    expect(reasonOf(",2010-01-01T01:00:00Z,temperature,1")).toContain('device_id ""');
    expect(reasonOf("a,yesterday,temperature,1")).toContain('timestamp "yesterday"');
    expect(reasonOf("a,1999-12-31T23:59:59.999Z,temperature,1")).toContain("before 2000");
    expect(reasonOf("a,2010-01-01T01:00:00Z,mood,1")).toBe('sensor "mood" is not in the sensor catalog');
    expect(reasonOf("a,2010-01-01T01:00:00Z,temperature,151")).toBe("value 151 is not within -100 to 150 °C");
    for (const value of ["", "NaN", "Infinity", "1e999", "0x10", "1 2", "1.2.3", '"1', "-", "1_000"]) {
      expect(reasonOf(`a,2010-01-01T01:00:00Z,temperature,${value}`)).toContain("value");
    }
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 6 }),
        (fields) => void readRow(fields, columns, catalog),
      ),
    );
  });
});

describe("timestamp of a recording", () => {
  it("equals the platform's result for every millisecond", () => {
    const times = fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 11, 31) });
    fc.assert(fc.property(times, (ms) => readTimestamp(new Date(ms).toISOString()) === ms));
  });

  it("may have an offset, no seconds, a space, more digits", () => {
    const eight = Date.UTC(2026, 10, 23, 20, 4, 22);
    expect(readTimestamp("2026-11-23T20:04:22Z")).toBe(eight);
    expect(readTimestamp("2026-11-23 21:04:22+01:00")).toBe(eight);
    expect(readTimestamp("2026-11-23T15:34:22-0430")).toBe(eight);
    expect(readTimestamp("2026-11-23T20:04:22.123999999Z")).toBe(eight + 123);
    expect(readTimestamp("2026-11-23T20:04:22.5Z")).toBe(eight + 500);
    expect(readTimestamp("2026-11-23T20:04Z")).toBe(eight - 22_000);
  });

  it("is invalid without a zone, for a day that does not exist, or in other formats", () => {
    const none = [
      "2026-11-23T20:04:22",
      "2026-02-30T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-11-23T24:00:00Z",
      "2026-11-23",
      "1262307600",
      "",
      "2026-11-23T20:61:00Z",
    ];
    expect(none.map(readTimestamp)).toEqual(none.map(() => undefined));
  });
});
