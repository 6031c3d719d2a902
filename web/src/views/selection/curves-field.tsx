import { select } from "../../state/route.ts";
import { type Curves, type Fill, fills } from "../../state/selection.ts";
import { strings } from "../../strings.ts";

/** Whether charts and figures show the average with its span, or percentiles. */
export function CurvesField({ curves }: { readonly curves: Curves }) {
  const { selection } = strings;
  return (
    <label class="field">
      <span>{selection.curves}</span>
      <select value={curves} onChange={(event) => select({ curves: event.currentTarget.value as Curves })}>
        <option value="range">{selection.curvesRange}</option>
        <option value="percentiles">{selection.curvesPercentiles}</option>
      </select>
    </label>
  );
}

/** What is drawn where a bucket has no readings. */
export function FillField({ fill }: { readonly fill: Fill }) {
  const { selection } = strings;
  return (
    <label class="field">
      <span>{selection.fill}</span>
      <select value={fill} onChange={(event) => select({ fill: event.currentTarget.value as Fill })}>
        {fills.map((name) => (
          <option key={name} value={name}>
            {selection.fills[name]}
          </option>
        ))}
      </select>
    </label>
  );
}
