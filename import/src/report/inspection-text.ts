import type { InspectedInput } from "../load/import-recordings.ts";
import { describeInspection } from "./describe-inspection.ts";

const roleWidth = 12;

/**
 * Formats the description of a recording for a terminal: format, columns, the first readings, and the open questions.
 */
export function inspectionText(inspected: InspectedInput): string {
  const { file, preset, format, encoding, columns, examples, questions, problem } =
    describeInspection(inspected);
  const head =
    inspected.inspection.problem ??
    [preset, format, encoding].filter((part) => part !== undefined).join("; ");
  const lines = [
    `${file}: ${head}`,
    ...columns.map(({ role, text }) => `  ${role.padEnd(roleWidth)} ${text}`),
    ...examples.map(
      ({ line, deviceId, sensor, value, unit, time }) =>
        `  line ${line}: ${deviceId} ${sensor} ${value} ${unit} at ${time}`,
    ),
    ...questions.map(({ flag, text }) => `  state ${flag}: ${text}`),
    ...(problem === undefined || inspected.inspection.problem !== undefined ? [] : [`  ${problem}`]),
  ];
  return `${lines.join("\n")}\n`;
}
