import * as fc from "fast-check";
import { expect, it } from "vitest";
import { testNowMs } from "../../testing/test-gateway.ts";
import { parseTimestamp } from "./parse-timestamp.ts";
import { parseValue } from "./parse-value.ts";
import { readDocument } from "./read-document.ts";
import { readDocuments } from "./read-documents.ts";
import { createSensorLookup } from "./sensor-lookup.ts";

const defaults = { lookup: createSensorLookup(), nowMs: testNowMs };

it.each([
  ["2023-03-28T20:04:22Z", "2023-03-28T20:04:22.000Z"],
  ["2023-03-28T20:04:22.1239Z", "2023-03-28T20:04:22.123Z"],
  ["2023-03-28T22:04:22+02:00", "2023-03-28T20:04:22.000Z"],
  ["2023-03-28 15:34:22,5-0430", "2023-03-28T20:04:22.500Z"],
  ["2023-03-28T22:04+02", "2023-03-28T20:04:00.000Z"],
  [1680033862, "2023-03-28T20:04:22.000Z"],
  [1680033862.123, "2023-03-28T20:04:22.123Z"],
  ["1680033862.1239", "2023-03-28T20:04:22.123Z"],
  [1680033862123, "2023-03-28T20:04:22.123Z"],
  [1680033862123999, "2023-03-28T20:04:22.123Z"],
  ["1680033862123999999", "2023-03-28T20:04:22.123Z"],
])("reads the time %j", (value, iso) => {
  expect(parseTimestamp(value)).toEqual({ kind: "time", ms: Date.parse(iso) });
});

it.each([
  ["2023-03-28T20:04:22", "timestamp.zone"],
  ["2023-02-30T20:04:22Z", "timestamp.form"],
  ["2023-03-28T24:00:00Z", "timestamp.form"],
  ["2023-03-28T20:04:60Z", "timestamp.form"],
  ["2023-03-28T20:04:22+24:00", "timestamp.form"],
  ["28.03.2023 20:04", "timestamp.form"],
  ["", "timestamp.form"],
  [true, "timestamp.form"],
  [{}, "timestamp.form"],
  [-1680033862, "timestamp.form"],
  [12345, "timestamp.epoch"],
  [99999999999, "timestamp.epoch"],
])("rejects the time %j instead of guessing", (value, rule) => {
  expect(parseTimestamp(value)).toMatchObject({ kind: "problem", rule });
});

it("reads every instant of this century, in each format and unit", () => {
  const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2099, 11, 31) });
  fc.assert(
    fc.property(instant, fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, offsetMinutes) => {
      const sign = offsetMinutes < 0 ? "-" : "+";
      const two = (count: number): string => String(Math.abs(count)).padStart(2, "0");
      const offset = `${sign}${two(Math.trunc(offsetMinutes / 60))}:${two(offsetMinutes % 60)}`;
      const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, -1) + offset;
      const seconds = `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`;
      const forms = [
        new Date(ms).toISOString(),
        local,
        ms,
        seconds,
        Number(seconds),
        `${ms}000`,
        `${ms}999999`,
      ];
      for (const form of forms) expect(parseTimestamp(form)).toEqual({ kind: "time", ms });
    }),
    { numRuns: 2000 },
  );
});

it.each([
  [21.5, undefined, { kind: "value", value: 21.5 }],
  ["21.5", undefined, { kind: "value", value: 21.5 }],
  [" -1e2\n", undefined, { kind: "value", value: -100 }],
  ["on", { sensor: "motion", isState: true }, { kind: "value", value: 1 }],
  [false, { sensor: "motion", isState: true }, { kind: "value", value: 0 }],
  ["unavailable", undefined, { kind: "missing" }],
  ["NaN", undefined, { kind: "missing" }],
  [null, undefined, { kind: "missing" }],
])("reads the value %j", (raw, sensor, expected) => {
  expect(parseValue(raw, sensor)).toEqual(expected);
});

it.each(["21,5", "21.5 °C", "0x10", "1_000", "Infinity", "1e999", true, {}, [1], Number.POSITIVE_INFINITY])(
  "rejects the value %j instead of guessing",
  (raw) => expect(parseValue(raw, undefined).kind).toBe("problem"),
);

it("reads the documents of the original system unchanged", () => {
  const document = {
    device_id: "1",
    timestamp: "2023-03-28T20:04:22Z",
    temperature: 25.2,
    tag: "Thermostat",
  };
  expect(readDocument(document, defaults)).toEqual({
    rejected: [],
    readings: [
      {
        deviceId: "1",
        sensor: "temperature",
        timestampMs: Date.parse(document.timestamp),
        value: 25.2,
        field: "temperature",
      },
    ],
  });
  const { temperature: _, ...rest } = document;
  expect(readDocument({ ...rest, value: 25.2 }, defaults).readings).toMatchObject([
    { sensor: "temperature", value: 25.2, field: "value" },
  ]);
});

it("reads flat documents with several sensors, with the server's time if they have none", () => {
  const document = {
    device_id: 7,
    temperature: 1,
    humidity: "50",
    pressure: null,
    co2: 400,
    place: "roof",
    parts: [1],
  };
  const { readings, rejected } = readDocument(document, defaults);
  expect(rejected).toEqual([]);
  expect(
    readings.map(({ deviceId, sensor, value, timestampMs }) => [deviceId, sensor, value, timestampMs]),
  ).toEqual([
    ["7", "temperature", 1, testNowMs],
    ["7", "humidity", 50, testNowMs],
    ["7", "co2", 400, testNowMs],
  ]);
});

it.each([
  [[], "", "document.object"],
  ["text", "", "document.object"],
  [{ temperature: 1 }, "device_id", "required"],
  [{ device_id: "a" }, "", "measurement.required"],
  [{ device_id: "a", timestamp: "yesterday", temperature: 1 }, "timestamp", "timestamp.form"],
  [{ device_id: "a", temperature: "warm" }, "temperature", "value.number"],
  [{ device_id: "a", temperature: { value: 1 } }, "temperature", "value.number"],
])("names the field and the rule for %j", (document, field, rule) => {
  expect(readDocument(document, defaults)).toMatchObject({ readings: [], rejected: [{ field, rule }] });
});

it("keeps every digit of nanoseconds in JSON", () => {
  const body = '[{"device_id":"a","timestamp":1680033862123999999,"temperature":1}]';
  expect(readDocuments(body, "json", defaults).readings[0]?.timestampMs).toBe(1680033862123);
});

it("reads NDJSON line by line and counts documents", () => {
  const body = '{"device_id":"a","temperature":1}\n\nnonsense\r\n{"device_id":"a","humidity":2}\n';
  const { readings, rejected } = readDocuments(body, "ndjson", defaults);
  expect(readings.map(({ index }) => index)).toEqual([0, 2]);
  expect(rejected).toMatchObject([
    { index: 1, rule: "document.json", text: expect.stringContaining("line 3") },
  ]);
});

it("never throws for JSON, and reads no value that the document does not contain", () => {
  const key = fc.constantFrom(
    "device_id",
    "timestamp",
    "temperature",
    "humidity",
    "value",
    "sensor",
    "tag",
    "x",
    "__proto__",
  );
  const leaf = fc.oneof(
    fc.double({ max: 9e8 }),
    fc.boolean(),
    fc.constantFrom<unknown>(
      "a",
      "1",
      "NaN",
      "",
      "1e5",
      "2023-03-28T20:04:22Z",
      1680033862,
      "Thermostat",
      "pressure",
    ),
    fc.constant(null),
    fc.array(fc.integer(), { maxLength: 2 }),
  );
  const document = fc.array(fc.tuple(key, leaf), { maxLength: 5 });
  fc.assert(
    fc.property(document, (pairs) => {
      const text = `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`).join()}}`;
      const held = Object.values(JSON.parse(text) as Record<string, unknown>).map(Number);
      const { readings, rejected } = readDocuments(text, "json", defaults);
      expect(readings.every(({ value }) => held.includes(value) && Number.isFinite(value))).toBe(true);
      for (const { timestampMs } of readings) expect([testNowMs, 1680033862000]).toContain(timestampMs);
      for (const { field, rule, text } of rejected)
        expect([typeof field, rule !== "", text !== ""]).toEqual(["string", true, true]);
    }),
    { numRuns: 100_000 },
  );
});
