import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { convertText, type TextReading } from "../testing/convert-text.ts";
import { testSensors } from "../testing/sensors.ts";

/** A reading of the generated recordings: values with two decimals, times in whole seconds of 2001 to 2037. */
type Written = {
  readonly device: string;
  readonly ms: number;
  readonly temperature: number;
  readonly humidity: number;
};

const written: fc.Arbitrary<Written> = fc.record({
  device: fc.constantFrom("a", "b-2", "hall 3", "Küche", "x;y", 'q"r'),
  ms: fc.integer({ min: 978_307_200, max: 2_114_380_800 }).map((seconds) => seconds * 1000),
  temperature: fc.integer({ min: -2000, max: 4000 }).map((hundredths) => hundredths / 100),
  humidity: fc.integer({ min: 200, max: 10_000 }).map((hundredths) => hundredths / 100),
});

const two = (value: number) => String(value).padStart(2, "0");

/** Formats of a time in UTC, each with its flags. */
const timeForms: readonly ((date: Date) => string)[] = [
  (date) => date.toISOString(),
  (date) => date.toISOString().slice(0, 19).replace("T", " "),
  (date) => String(date.getTime() / 1000),
  (date) => String(date.getTime()),
  (date) =>
    `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.${date.getUTCFullYear()} ${date.toISOString().slice(11, 19)}`,
  (date) => `${date.toISOString().slice(0, 10)}T${date.toISOString().slice(11, 19)}+00:00`,
];

const layouts = fc.record({
  separator: fc.constantFrom(",", ";", "\t", "|"),
  time: fc.constantFrom(...timeForms),
  comma: fc.boolean(),
  fahrenheit: fc.boolean(),
  long: fc.boolean(),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  preamble: fc.constantFrom("", "Station of the north\n"),
});

type Layout = typeof layouts extends fc.Arbitrary<infer T> ? T : never;

function textOf(
  rows: readonly Written[],
  { separator, time, comma, fahrenheit, long, lineEnd, preamble }: Layout,
): string {
  const number = (value: number) => (comma ? String(value).replace(".", ",") : String(value));
  const cell = (text: string) => (/[",;\t|]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const warm = fahrenheit ? "temperature (°F)" : "temperature";
  const degrees = ({ temperature }: Written) =>
    number(fahrenheit ? Math.round((temperature * 1.8 + 32) * 1e6) / 1e6 : temperature);
  const lines = long
    ? [
        ["device", "time", "sensor", "value", "unit"],
        ...rows.flatMap((row) => [
          [row.device, time(new Date(row.ms)), "temperature", degrees(row), fahrenheit ? "°F" : "°C"],
          [row.device, time(new Date(row.ms)), "humidity", number(row.humidity), "%"],
        ]),
      ]
    : [
        ["device", "time", warm, "humidity"],
        ...rows.map((row) => [row.device, time(new Date(row.ms)), degrees(row), number(row.humidity)]),
      ];
  return preamble + lines.map((line) => line.map(cell).join(separator)).join(lineEnd);
}

describe("any recording", () => {
  it("is read back to its readings, whatever its format", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 2, maxLength: 12 }), layouts, (rows, layout) => {
        const decimal = layout.comma ? "," : ".";
        const { inspection, readings, refused, badRows } = convertText(textOf(rows, layout), {
          zone: "UTC",
          order: "day-month",
          decimal,
          units: layout.fahrenheit ? new Map() : new Map([["temperature", "°C"]]),
        });
        expect(
          [inspection.problem, ...inspection.questions, ...refused, ...badRows].filter(
            (text) => text !== undefined,
          ),
        ).toEqual([]);
        const expected = rows.flatMap(({ device, ms, temperature, humidity }) => {
          const at = { device: encodeURIComponent(device), time: new Date(ms).toISOString() };
          return [
            { ...at, sensor: "temperature", value: expect.closeTo(temperature, 6) },
            { ...at, sensor: "humidity", value: humidity },
          ];
        });
        expect(readings).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  const bounds = new Map(testSensors.map(({ sensor, minimum, maximum }) => [sensor, { minimum, maximum }]));

  function checkReadings(readings: readonly TextReading[]): void {
    for (const { device, sensor, value } of readings) {
      const { minimum, maximum } = bounds.get(sensor)!;
      expect(device).toMatch(/^[A-Za-z0-9_]/);
      expect(value >= minimum && value <= maximum).toBe(true);
    }
  }

  const header = fc.constantFrom(
    "device_id,timestamp,sensor,value",
    "time;temperature;humidity",
    "entity_id,state,last_changed",
    "#datatype,string,long,double\n,result,table,_time,_value,_field,host",
    "a b c",
    "",
  );
  const word = fc.constantFrom(
    ...'a 2025-03-29T20:00:00Z 1743278400 29/03/2025 20:00 temperature humidity 21.5 21,5 -200 1e400 0x10 Infinity nan unavailable °F ; , \t | " {"temperature":1} hall,host=a value=1 #default \u0000 \ufffd 💡 = \\'.split(
      " ",
    ),
    " ",
    "\n",
    "\n",
  );
  const scraps = fc.array(word, { maxLength: 24 }).map((words) => words.join(""));
  const rows = fc.array(
    fc.array(word, { maxLength: 6 }).map((words) => words.join(",")),
    { maxLength: 4 },
  );

  it.each(["scraps below a header", "cells in any order", "any text"])(
    "made of %s never throws and returns valid readings only, in 35,000 runs",
    (kind) => {
      const texts = {
        "scraps below a header": fc.tuple(header, scraps).map(([first, rest]) => `${first}\n${rest}`),
        "cells in any order": fc.tuple(header, rows).map(([first, lines]) => [first, ...lines].join("\n")),
        "any text": fc.string({ unit: "binary", maxLength: 60 }),
      }[kind]!;
      const options = fc.constantFrom(
        {},
        { zone: "UTC", device: "d", order: "day-month" as const },
        { zone: "UTC", device: "d", sensor: "temperature" },
      );
      fc.assert(
        fc.property(texts, options, (text, stated) => {
          checkReadings(convertText(text, stated).readings);
        }),
        { numRuns: 35_000 },
      );
    },
  );
});
