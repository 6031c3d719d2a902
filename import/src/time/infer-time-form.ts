import type { DateOrder } from "./dates.ts";
import { createTimeReader, readClockTime, type TimeForm, timeForms } from "./time-form.ts";

/** The format of a column's times, from samples. */
export type InferredTime =
  | {
      readonly kind: "time";
      readonly form: TimeForm;
      /** Whether some have no zone. */
      readonly isLocal: boolean;
    }
  /** Dates without a time of day. */
  | { readonly kind: "date"; readonly form: TimeForm }
  /** Times of day without a date. */
  | { readonly kind: "time-of-day" }
  /** The samples are valid in each of these orders. */
  | { readonly kind: "ambiguous"; readonly orders: readonly DateOrder[]; readonly isDate: boolean }
  /** They are not times. */
  | { readonly kind: "none" };

const shareMin = 0.8;

/**
 * Detects the format of the samples. Up to a fifth of them may be damaged. Between day and month, only a sample that
 * excludes one of the orders decides, or `order`. Of several forms that fit, `known` comes first.
 */
export function inferTimeForm(
  samples: readonly string[],
  order?: DateOrder,
  known?: TimeForm | undefined,
): InferredTime {
  const given = samples.filter((text) => text !== "");
  if (given.length === 0) return { kind: "none" };
  const needed = Math.max(1, Math.ceil(given.length * shareMin));
  if (given.filter((text) => !Number.isNaN(readClockTime(text))).length >= needed)
    return { kind: "time-of-day" };
  const tried = [...(known === undefined ? [] : [known]), ...timeForms]
    .filter((form) => form.kind !== "numeric" || order === undefined || form.order === order)
    .map((form) => ({ form, ...tally(form, given) }))
    .filter(({ count }) => count >= needed);
  const best = Math.max(0, ...tried.map(({ count }) => count));
  const matching = tried.filter(({ count }) => count === best);
  const [first] = matching;
  if (first === undefined) return { kind: "none" };
  const isDate = first.dates === first.count;
  const orders = matching.flatMap(({ form }) => (form.kind === "numeric" ? [form.order] : []));
  if (orders.length > 1) return { kind: "ambiguous", orders, isDate };
  if (isDate) return { kind: "date", form: first.form };
  return { kind: "time", form: first.form, isLocal: first.locals > 0 };
}

function tally(form: TimeForm, samples: readonly string[]) {
  const reader = createTimeReader(form);
  let count = 0;
  let locals = 0;
  let dates = 0;
  for (const text of samples) {
    if (Number.isNaN(reader.read(text))) continue;
    count += 1;
    if (reader.isLocal()) locals += 1;
    if (reader.isDate()) dates += 1;
  }
  return { count, locals, dates };
}
