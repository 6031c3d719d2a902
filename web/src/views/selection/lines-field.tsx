import { select } from "../../state/route.ts";
import type { Lines } from "../../state/selection.ts";
import { strings } from "../../strings.ts";

/** Whether there is a line for each series or for each sensor. */
export function LinesField({ lines }: { readonly lines: Lines }) {
  const { selection } = strings;
  return (
    <label class="field">
      <span>{selection.lines}</span>
      <select value={lines} onChange={(event) => select({ lines: event.currentTarget.value as Lines })}>
        <option value="auto">{selection.linesAuto}</option>
        <option value="series">{selection.linesSeries}</option>
        <option value="sensor">{selection.linesSensor}</option>
      </select>
    </label>
  );
}
