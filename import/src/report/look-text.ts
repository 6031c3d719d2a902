import type { LookedInput } from "../load/import-recordings.ts";
import { describeLook } from "./describe-look.ts";

const roleWidth = 12;

/**
 * Formats the description of a recording for a terminal: format, columns, the first readings, and the open questions.
 */
export function lookText(looked: LookedInput): string {
  const { file, preset, format, encoding, columns, examples, questions, problem } = describeLook(looked);
  const head =
    looked.look.problem ?? [preset, format, encoding].filter((part) => part !== undefined).join("; ");
  const lines = [
    `${file}: ${head}`,
    ...columns.map(({ role, text }) => `  ${role.padEnd(roleWidth)} ${text}`),
    ...examples.map(
      ({ line, deviceId, sensor, value, unit, time }) =>
        `  line ${line}: ${deviceId} ${sensor} ${value} ${unit} at ${time}`,
    ),
    ...questions.map(({ flag, text }) => `  state ${flag}: ${text}`),
    ...(problem === undefined || looked.look.problem !== undefined ? [] : [`  ${problem}`]),
  ];
  return `${lines.join("\n")}\n`;
}
