import { createConverter } from "../convert/converter.ts";
import { deviceIds } from "../convert/device-ids.ts";
import { createDeviceNames } from "../convert/device-names.ts";
import type { FilePlan } from "../inspect/file-plan.ts";
import type { Question } from "../inspect/options.ts";
import type { RowSchema } from "../inspect/row-schema.ts";
import type { InspectedInput } from "../load/import-recordings.ts";
import type { TimeForm } from "../time/time-form.ts";

/** The description of a recording, for users. */
export type InspectionDescription = {
  readonly file: string;
  /** The kind of file, if it is a common one. */
  readonly preset: string | undefined;
  readonly format: string;
  readonly encoding: string;
  /** The roles of the columns that are read, as text. */
  readonly columns: readonly { readonly role: string; readonly text: string }[];
  /** The first readings. */
  readonly examples: readonly ExampleReading[];
  /** The open questions. */
  readonly questions: readonly Question[];
  /** Why nothing of it is readable. */
  readonly problem: string | undefined;
};

/** A reading of the sample. */
export type ExampleReading = {
  readonly line: number;
  readonly deviceId: string;
  readonly sensor: string;
  readonly value: number;
  readonly unit: string;
  /** ISO 8601, UTC. */
  readonly time: string;
};

const examplesMax = 3;

/** Describes a sampled recording. */
export function describeInspection({ input, sampled, inspection }: InspectedInput): InspectionDescription {
  const names = inspection.sample.find(({ problem }) => problem === undefined)?.names ?? [];
  const isOpen = inspection.plan === undefined && inspection.questions.length === 0;
  return {
    file: input.name,
    preset: inspection.preset,
    format: inspection.format,
    encoding: encodingText(sampled.encoding),
    columns: inspection.plan === undefined ? [] : columnsOf(inspection.plan, inspection.plan.schemaOf(names)),
    examples: inspection.plan === undefined ? [] : examplesOf(inspection.plan, inspection.sample),
    questions: inspection.questions,
    problem:
      inspection.problem ??
      (isOpen ? `no row can be read: ${inspection.sample[0]?.problem ?? "there are none"}` : undefined),
  };
}

function encodingText({ encoding, hasMark }: InspectedInput["sampled"]["encoding"]): string {
  const names = {
    "utf-8": "UTF-8",
    "windows-1252": "windows-1252 (Latin-1)",
    "utf-16le": "UTF-16LE",
    "utf-16be": "UTF-16BE",
  };
  return `${names[encoding]}${hasMark ? " with a byte order mark" : ""}`;
}

function columnsOf({ times, options }: FilePlan, schema: RowSchema): InspectionDescription["columns"] {
  const { names, deviceAt, valueAt, sensorAt, unitAt, sensors, unknown } = schema;
  const isEpoch = times.form.kind === "epoch";
  const zone = isEpoch ? "" : times.isLocal ? `, clocks of ${times.zone}` : ", with zone";
  const clock = times.clockColumn === undefined ? "" : ` and ${JSON.stringify(times.clockColumn)}`;
  const column = (at: number) => `column ${JSON.stringify(names[at])}`;
  const columns = [
    {
      role: "time",
      text: `column ${JSON.stringify(times.column)}${clock}: ${formText(times.form)}${zone}`,
    },
    {
      role: "device",
      text:
        options.device !== undefined
          ? `${options.device} for all rows`
          : deviceAt < 0
            ? "none"
            : column(deviceAt),
    },
  ];
  if (valueAt >= 0) {
    const sensor =
      options.sensor ?? (sensorAt < 0 ? "named by the device or the measurement" : column(sensorAt));
    columns.push({
      role: "value",
      text: `${column(valueAt)}, sensor: ${sensor}${unitAt < 0 ? "" : `, unit: ${column(unitAt)}`}`,
    });
  }
  for (const { sensor, at, unit, decimal } of sensors) {
    const stated = unit === undefined ? `${sensor.unit}, not stated` : unit;
    columns.push({
      role: sensor.sensor,
      text: `${column(at)} in ${stated}${decimal === "," ? ", decimal comma" : ""}`,
    });
  }
  if (unknown.length > 0)
    columns.push({ role: "unknown", text: unknown.map(({ name }) => JSON.stringify(name)).join(", ") });
  return columns;
}

function formText(form: TimeForm): string {
  switch (form.kind) {
    case "year-first":
      return "year, month, day";
    case "numeric":
      return form.order === "year-month"
        ? "year, month, day"
        : form.order === "day-month"
          ? "day, month, year"
          : "month, day, year";
    case "named-month":
      return "with the month's name";
    case "epoch":
      return `${form.unit} since 1970`;
    case "spreadsheet-days":
      return "day numbers of a spreadsheet";
    case "compact-hours":
      return "year, month, day, hour";
  }
}

function examplesOf(plan: FilePlan, sample: InspectedInput["inspection"]["sample"]): ExampleReading[] {
  const deviceOf = createDeviceNames(deviceIds);
  const converter = createConverter(plan, { deviceOf, latestMs: Number.POSITIVE_INFINITY });
  const examples: ExampleReading[] = [];
  const ignore = () => {};
  for (const row of sample) {
    if (examples.length >= examplesMax) break;
    converter.convert(row, {
      reading({ line }, deviceId, { sensor, unit }, ms, value) {
        examples.push({ line, deviceId, sensor, value, unit, time: new Date(ms).toISOString() });
      },
      missing: ignore,
      unknown: ignore,
      refused: ignore,
      bad: ignore,
    });
  }
  return examples.slice(0, examplesMax);
}
