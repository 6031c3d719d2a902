import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ImportOptions } from "../src/inspect/options.ts";
import { dateOrders } from "../src/time/dates.ts";

/** The expected result of a recording. */
export type ExpectedRecording = {
  readonly file: string;
  readonly path: string;
  /** The user's additional knowledge, as flags. */
  readonly options: ImportOptions;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly series: Readonly<Record<string, ExpectedSeries>>;
};

/** A series (`device|sensor`) of a recording. */
export type ExpectedSeries = {
  readonly count: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly sum: number;
};

type Entry = {
  readonly knows: {
    readonly zone?: string;
    readonly order?: string;
    readonly unit?: Readonly<Record<string, string>>;
    readonly device?: string;
    readonly sensor?: string;
    readonly missing?: string;
    readonly device_column?: string;
    readonly value_column?: string;
  };
  readonly left_out: Readonly<Record<string, number>>;
  readonly series: Readonly<Record<string, ExpectedSeries>>;
};

const folder = fileURLToPath(new URL("./recordings/", import.meta.url));

/** The twelve recordings in `recordings/`. */
export function expectedRecordings(): readonly ExpectedRecording[] {
  const entries: Readonly<Record<string, Entry>> = JSON.parse(readFileSync(`${folder}expected.json`, "utf8"));
  return Object.entries(entries).map(([file, { knows, left_out, series }]) => ({
    file,
    path: folder + file,
    leftOut: left_out,
    series,
    options: {
      zone: knows.zone,
      order: dateOrders.find((order) => order === knows.order?.replace(/[/.]/, "-")),
      units: new Map(Object.entries(knows.unit ?? {})),
      device: knows.device,
      sensor: knows.sensor,
      missing: knows.missing === undefined ? [] : [knows.missing],
      columns: new Map([
        ...(knows.device_column === undefined ? [] : [[knows.device_column, "device"] as const]),
        ...(knows.value_column === undefined ? [] : [[knows.value_column, "value"] as const]),
      ]),
    },
  }));
}
