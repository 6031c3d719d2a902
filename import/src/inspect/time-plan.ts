import { type InferredTime, inferTimeForm } from "../time/infer-time-form.ts";
import { readClockTime, type TimeForm } from "../time/time-form.ts";
import { createZone } from "../time/zone.ts";
import { plainName } from "./column-name.ts";
import { timeRank } from "./column-roles.ts";
import type { ImportOptions, Question } from "./options.ts";
import type { Preset } from "./preset.ts";
import type { SampleColumn } from "./sample-columns.ts";

/** The columns of a file's times, and their format. */
export type TimePlan = {
  /** The column of times, or of dates. */
  readonly column: string;
  /** The column of times of day, if they are separate. */
  readonly clockColumn: string | undefined;
  readonly form: TimeForm;
  /** The zone of times without a zone; undefined if all have one. */
  readonly zone: string | undefined;
  /** Whether some of the sample have no zone. */
  readonly isLocal: boolean;
  /** Whether they are dates without a time of day. */
  readonly isDate: boolean;
};

/** The plan of times, or the open questions. */
export type FoundTimes = { readonly plan: TimePlan | undefined; readonly questions: readonly Question[] };

type Candidate = { readonly column: SampleColumn; readonly rank: number; readonly found: InferredTime };

/** Finds the times among the columns; ignores columns that users gave another role. */
export function planTimes(
  columns: readonly SampleColumn[],
  mapped: readonly string[],
  { order, zone, preset }: Pick<ImportOptions, "order" | "zone"> & { readonly preset: Preset | undefined },
): FoundTimes {
  const ask = (flag: string, text: string): FoundTimes => ({ plan: undefined, questions: [{ flag, text }] });
  const candidates = (mapped.length > 0 ? columns.filter(({ name }) => mapped.includes(name)) : columns)
    .map((column): Candidate => {
      const found = inferTimeForm(column.texts, order, preset?.times);
      return { column, found, rank: timeRank(column.name) ?? Number.POSITIVE_INFINITY };
    })
    .filter(({ column, found, rank }) => found.kind !== "none" && isLikely(column, found, rank, mapped));
  const whole = best(
    candidates.filter(({ found }) => found.kind === "time" || (found.kind === "ambiguous" && !found.isDate)),
  );
  if (whole.length > 1)
    return ask("--map COLUMN=time", `the times may be in ${namesOf(whole)}: name the column`);
  const dates = best(
    candidates.filter(({ found }) => found.kind === "date" || (found.kind === "ambiguous" && found.isDate)),
  );
  const clocks = best(candidates.filter(({ found }) => found.kind === "time-of-day"));
  if (whole.length === 0 && dates.length > 1)
    return ask("--map COLUMN=time", `the dates may be in ${namesOf(dates)}: name the column`);
  if (whole.length === 0 && dates.length === 1 && clocks.length > 1)
    return ask(
      "--map COLUMN=time",
      `the times of day may be in ${namesOf(clocks)}: name the columns of date and time`,
    );
  const [chosen] = [...whole, ...dates];
  if (chosen === undefined) {
    const which =
      mapped.length > 0
        ? `${mapped.map(quote).join(" and ")} cannot be read as times`
        : "no column holds times";
    return ask("--map COLUMN=time", `${which}${example(columns, mapped)}${abbreviation(columns)}`);
  }
  const { column, found } = chosen;
  const clockColumn =
    whole.length === 0 ? (clocks[0]?.column ?? clockBeside(column, columns))?.name : undefined;
  const questions: Question[] = [];
  if (found.kind === "ambiguous") {
    const text = `${quote(column.name)}: ${quote(column.texts[0]!)} can be read as ${found.orders.join(" or ")}`;
    questions.push({ flag: `--order ${found.orders.join("|")}`, text });
  }
  const isLocal = found.kind !== "time" || found.isLocal;
  const namedZone = zoneOfName(column.name);
  const statedZone = zone ?? preset?.zone ?? namedZone;
  if (isLocal && namedZone !== undefined && zone !== undefined && !areSameZone(zone, namedZone)) {
    const text = `column ${quote(column.name)} states ${namedZone}, and --zone states ${zone}`;
    questions.push({ flag: "--zone", text: `${text}: leave out --zone, or rename the column` });
  }
  if (isLocal && statedZone === undefined) {
    const text = `${quote(column.name)}: times such as ${quote(column.texts[0]!)} have no zone`;
    questions.push({
      flag: "--zone",
      text: `${text}: state where the clocks were, for example --zone Europe/Berlin or UTC`,
    });
  }
  if (
    questions.length > 0 ||
    found.kind === "ambiguous" ||
    found.kind === "none" ||
    found.kind === "time-of-day"
  )
    return { plan: undefined, questions };
  return {
    plan: {
      column: column.name,
      clockColumn,
      form: found.form,
      zone: statedZone,
      isLocal,
      isDate: found.kind === "date" && clockColumn === undefined,
    },
    questions,
  };
}

/** Numbers are times only in a column with a suitable name, or one that the user chose. */
function isLikely(
  column: SampleColumn,
  found: InferredTime,
  rank: number,
  mapped: readonly string[],
): boolean {
  if (mapped.includes(column.name)) return true;
  // Elapsed seconds have the same form.
  if (found.kind === "time" && found.form.kind === "spreadsheet-days") return false;
  if (rank !== Number.POSITIVE_INFINITY) return true;
  if (found.kind !== "time" && found.kind !== "date") return true;
  const isNumber = found.form.kind === "epoch" || found.form.kind === "spreadsheet-days";
  return !isNumber && !column.texts.every((text) => /^\d+$/.test(text));
}

const clockNames = /(?:^|_)(?:time|clock|hour|hours|zeit|uhrzeit|stunde|heure|hora|ora|tijd|uur)(?:_|$)/;

/** The column of times of day beside one of dates, if they are written in a way that other values are too: 18.00.00, 7. */
function clockBeside(dates: SampleColumn, columns: readonly SampleColumn[]): SampleColumn | undefined {
  const found = columns.filter(
    ({ name, texts }) =>
      name !== dates.name &&
      clockNames.test(plainName(name)) &&
      texts.length > 0 &&
      texts.every((text) => !Number.isNaN(readClockTime(text, true))),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** Returns those with the best rank. */
function best(candidates: readonly Candidate[]): readonly Candidate[] {
  const rank = Math.min(...candidates.map((candidate) => candidate.rank));
  return candidates.filter((candidate) => candidate.rank === rank);
}

/** The zone in a column's name: `time_utc`, `Date (GMT)`, `Date Time, GMT+01:00`. */
function zoneOfName(name: string): string | undefined {
  const parts = /(?:^|[^a-z])(?:utc|gmt)(?:\s*([+-])(\d\d?)(?::?(\d\d))?)?(?![a-z0-9])/i.exec(name);
  if (parts === null) return undefined;
  const [, sign, hours = "0", minutes = "00"] = parts;
  const isZero = sign === undefined || Number(hours) + Number(minutes) === 0;
  return isZero ? "UTC" : `${sign}${hours.padStart(2, "0")}:${minutes}`;
}

/** Whether both have the same offset in winter and in summer. */
function areSameZone(one: string, other: string): boolean {
  const [first, second] = [createZone(one), createZone(other)];
  return [0, 6].every((month) => {
    const localMs = Date.UTC(2024, month, 15, 12);
    return first.instantsOf(localMs)[0] === second.instantsOf(localMs)[0];
  });
}

function namesOf(candidates: readonly Candidate[]): string {
  return candidates.map(({ column }) => quote(column.name)).join(" or ");
}

function example(columns: readonly SampleColumn[], mapped: readonly string[]): string {
  const shown = columns.filter(({ name }) => mapped.length === 0 || mapped.includes(name)).slice(0, 8);
  return shown.length === 0
    ? ""
    : ` (${shown.map(({ name, texts }) => `${quote(name)}: ${quote(texts[0] ?? "")}`).join(", ")})`;
}

/** A remark on times with the abbreviation of a zone: CST is several zones. */
function abbreviation(columns: readonly SampleColumn[]): string {
  const zone = columns
    .map(({ texts: [text = ""] }) => /\d\d:\d\d\S*\s+([A-Z]{3,4})\b/.exec(text)?.[1])
    .find((found) => found !== undefined);
  return zone === undefined ? "" : `; ${zone} is no unique zone: leave it out of the times, and state --zone`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
