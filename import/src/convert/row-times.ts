import type { RowSchema } from "../inspect/row-schema.ts";
import type { TimePlan } from "../inspect/time-plan.ts";
import { createLocalTimes, type RepeatedTimes } from "../time/local-times.ts";
import { createTimeReader, readClockTime } from "../time/time-form.ts";
import { createZone } from "../time/zone.ts";

/** Reads the times of rows. */
export type RowTimes = {
  /** Returns milliseconds since 1970; NaN if there is none: see `problem`. */
  read(series: string, schema: RowSchema, cells: readonly string[]): number;
  problem(): string;
  repeated(): RepeatedTimes;
};

/**
 * Creates a reader of times for that plan. Local times of a series are resolved in the order in which they are read.
 */
export function createRowTimes({ form, zone, clockColumn }: TimePlan): RowTimes {
  const reader = createTimeReader(form);
  const local = zone === undefined ? undefined : createLocalTimes(createZone(zone));
  let problem = "";

  function bad(text: string): number {
    problem = text;
    return Number.NaN;
  }

  return {
    read(series, { timeAt, clockAt }, cells) {
      const text = timeAt < 0 ? undefined : cells[timeAt];
      if (text === undefined || text === "") return bad("the row has no time");
      let ms = reader.read(text);
      if (Number.isNaN(ms)) return bad(`the time ${quote(text)} does not have the form of the others`);
      if (clockColumn !== undefined) {
        const clock = clockAt < 0 ? "" : cells[clockAt]!;
        const clockMs = readClockTime(clock, true);
        if (Number.isNaN(clockMs)) return bad(`${quote(clock)} is not a time of day`);
        ms += clockMs;
      }
      if (!reader.isLocal()) return ms;
      if (local === undefined)
        return bad(`the time ${quote(text)} has no zone, unlike the others: state --zone`);
      const instant = local.resolve(series, ms);
      return Number.isNaN(instant) ? bad(`the time ${quote(text)} ${local.problem()}`) : instant;
    },
    problem: () => problem,
    repeated: () => local?.repeated() ?? { first: 0, second: 0 },
  };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
