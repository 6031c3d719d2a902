import { createConverter } from "../convert/converter.ts";
import { deviceIds } from "../convert/device-ids.ts";
import { createDeviceNames } from "../convert/device-names.ts";
import type { LookedInput } from "../load/import-recordings.ts";
import type { FilePlan } from "../look/file-plan.ts";
import type { RowSchema } from "../look/row-schema.ts";
import type { TimeForm } from "../time/time-form.ts";

const examplesMax = 3;

/** What a recording looks like, for users: format, columns and the first readings. */
export function lookText({ input, sampled, look }: LookedInput): string {
  const { encoding, hasMark } = sampled.encoding;
  const encodingText =
    encoding === "utf-8"
      ? "UTF-8"
      : encoding === "windows-1252"
        ? "windows-1252 (Latin-1)"
        : encoding.toUpperCase();
  const head = [look.preset, look.format, `${encodingText}${hasMark ? " with a byte order mark" : ""}`];
  const lines = [`${input.name}: ${look.problem ?? head.filter((part) => part !== undefined).join("; ")}`];
  if (look.plan !== undefined) {
    const names = look.sample.find(({ problem }) => problem === undefined)?.names ?? [];
    lines.push(...planLines(look.plan, look.plan.schemaOf(names)), ...exampleLines(look.plan, look.sample));
  }
  for (const { flag, text } of look.questions) lines.push(`  state ${flag}: ${text}`);
  if (look.plan === undefined && look.questions.length === 0 && look.problem === undefined)
    lines.push(`  no row can be read: ${look.sample[0]?.problem ?? "there are none"}`);
  return `${lines.join("\n")}\n`;
}

function planLines({ times, options }: FilePlan, schema: RowSchema): string[] {
  const { names, deviceAt, valueAt, sensorAt, unitAt, sensors, unknown } = schema;
  const zone = times.zone === undefined ? "with zone" : `clocks of ${times.zone}`;
  const clock = times.clockColumn === undefined ? "" : ` and ${JSON.stringify(times.clockColumn)}`;
  const line = (what: string, text: string) => `  ${what.padEnd(12)} ${text}`;
  const column = (at: number) => `column ${JSON.stringify(names[at])}`;
  const lines = [
    line("time", `column ${JSON.stringify(times.column)}${clock}: ${formText(times.form)}, ${zone}`),
    line(
      "device",
      options.device !== undefined
        ? `${options.device} for all rows`
        : deviceAt < 0
          ? "none"
          : column(deviceAt),
    ),
  ];
  if (valueAt >= 0) {
    const sensor =
      options.sensor ?? (sensorAt < 0 ? "named by the device or the measurement" : column(sensorAt));
    lines.push(
      line("value", `${column(valueAt)}, sensor: ${sensor}${unitAt < 0 ? "" : `, unit: ${column(unitAt)}`}`),
    );
  }
  for (const cell of sensors) {
    const unit = cell.unit === undefined ? `${cell.sensor.unit}, not stated` : cell.unit;
    lines.push(
      line(
        cell.sensor.sensor,
        `${column(cell.at)} in ${unit}${cell.decimal === "," ? ", decimal comma" : ""}`,
      ),
    );
  }
  if (unknown.length > 0)
    lines.push(line("unknown", unknown.map(({ name }) => JSON.stringify(name)).join(", ")));
  return lines;
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
  }
}

function exampleLines(plan: FilePlan, sample: LookedInput["look"]["sample"]): string[] {
  const converter = createConverter(plan, {
    deviceOf: createDeviceNames(deviceIds),
    latestMs: Number.POSITIVE_INFINITY,
  });
  const lines: string[] = [];
  const ignore = () => {};
  for (const row of sample) {
    if (lines.length >= examplesMax) break;
    converter.convert(row, {
      reading(_, device, { sensor, unit }, ms, value) {
        lines.push(
          `  line ${row.line}: ${device} ${sensor} ${value} ${unit} at ${new Date(ms).toISOString()}`,
        );
      },
      missing: ignore,
      unknown: ignore,
      refused: ignore,
      bad: ignore,
    });
  }
  return lines.slice(0, examplesMax);
}
