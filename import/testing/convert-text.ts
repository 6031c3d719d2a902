import { createConverter } from "../src/convert/converter.ts";
import { createDeviceNames } from "../src/convert/device-names.ts";
import { type Inspection, inspect } from "../src/inspect/inspect.ts";
import type { ImportOptions } from "../src/inspect/options.ts";
import { testLookup } from "./sensors.ts";

/** A reading in the form that tests compare. */
export type TextReading = {
  readonly device: string;
  readonly sensor: string;
  readonly time: string;
  readonly value: number;
};

/** The outcome of a text. */
export type Converted = {
  readonly inspection: Inspection;
  readonly readings: readonly TextReading[];
  readonly missing: number;
  readonly unknown: readonly string[];
  /** `line column: reason`, or `line: reason` for whole rows. */
  readonly refused: readonly string[];
  readonly badRows: readonly string[];
};

/** Samples a text and converts it, without sending anything. */
export function convertText(text: string, options: ImportOptions = {}): Converted {
  const inspection = inspect(text, true, { options, lookup: testLookup });
  const readings: TextReading[] = [];
  const unknown: string[] = [];
  const refused: string[] = [];
  const badRows: string[] = [];
  let missing = 0;
  const converter =
    inspection.plan &&
    createConverter(inspection.plan, {
      deviceOf: createDeviceNames({
        encode: encodeURIComponent,
        pattern: /^[A-Za-z0-9_][\w.:/@~=%-]{0,127}$/,
      }),
      latestMs: Date.UTC(2100, 0, 1),
    });
  for (const row of inspection.createReader().read(text, true)) {
    if (converter === undefined) {
      if (row.problem !== undefined) badRows.push(`${row.line}: ${row.problem}`);
      continue;
    }
    converter.convert(row, {
      reading: (_, device, { sensor }, ms, value) =>
        readings.push({ device, sensor, time: new Date(ms).toISOString(), value }),
      missing: () => {
        missing += 1;
      },
      unknown: (_, name) => unknown.push(name),
      refused: ({ line }, column, reason) => refused.push(`${line} ${column}: ${reason}`),
      bad: ({ line }, reason) => badRows.push(`${line}: ${reason}`),
    });
  }
  return { inspection, readings, missing, unknown, refused, badRows };
}
