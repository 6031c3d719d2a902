import type { ImportOptions } from "../src/inspect/options.ts";
import { convertText } from "./convert-text.ts";

/** For tests: `device sensor value time` of each reading, the counts of the rest, and the questions. */
export function resultOf(text: string, options: ImportOptions = {}): string[] {
  const { inspection, readings, missing, unknown, refused, badRows } = convertText(text, options);
  return [
    ...(inspection.problem === undefined ? [] : [inspection.problem]),
    ...inspection.questions.map(({ flag, text: why }) => `state ${flag}: ${why}`),
    ...readings.map(
      ({ device, sensor, value, time }) => `${device} ${sensor} ${value} ${time.replace(/:00\.000Z$/, "Z")}`,
    ),
    ...(missing === 0 ? [] : [`missing ${missing}`]),
    ...new Set(unknown.map((name) => `unknown ${name}`)),
    ...refused,
    ...badRows,
  ];
}
