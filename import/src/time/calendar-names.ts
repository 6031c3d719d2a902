// Languages whose names of months and days are read. A name of two different months is not accepted.
const languages = ["en", "de", "fr", "es", "it", "nl", "pt"];

const months = namesOf("month", (at) => Date.UTC(2000, at, 15), 12);
// January 3 of 2000 was a Monday.
const weekdays = namesOf("weekday", (at) => Date.UTC(2000, 0, 3 + at), 7);

/** Returns the month of that name from 1, long or short: `March`, `Sept`, `März`, `févr`; undefined if it is none. */
export function monthNumber(name: string): number | undefined {
  const at = months.get(keyOf(name));
  return at === undefined || Number.isNaN(at) ? undefined : at + 1;
}

/** Returns the length of a day's name before a date, such as `Sat, ` or `Mo `; 0 if there is none. */
export function weekdayLength(text: string): number {
  const [all = "", name = ""] = /^(\p{L}{2,13})\.?,?\s+/u.exec(text) ?? [];
  return weekdays.has(keyOf(name)) ? all.length : 0;
}

/** The names in all languages, with their number from 0; NaN where languages differ. */
function namesOf(
  part: "month" | "weekday",
  msOf: (at: number) => number,
  count: number,
): Map<string, number> {
  const names = new Map<string, number>();
  for (const language of languages) {
    for (const style of ["long", "short"] as const) {
      const format = new Intl.DateTimeFormat(language, { [part]: style, timeZone: "UTC" });
      for (let at = 0; at < count; at++) {
        const full = keyOf(format.format(msOf(at)));
        // Short names have different lengths: Sep and Sept, Mon and Monday.
        for (const name of style === "long" ? [full, full.slice(0, 3), full.slice(0, 4)] : [full])
          names.set(name, (names.get(name) ?? at) === at ? at : Number.NaN);
      }
    }
  }
  return names;
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
