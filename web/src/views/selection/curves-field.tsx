import { formatDuration } from "../../format/times.ts";
import { select } from "../../state/route.ts";
import { type Curves, curveKinds, type Fill, fills, type Hold, holds } from "../../state/selection.ts";
import { strings } from "../../strings.ts";

/** The curves of charts, and the columns of figures that belong to them. */
export function CurvesField({ curves }: { readonly curves: Curves }) {
  const { selection } = strings;
  return (
    <label class="field">
      <span>{selection.curves}</span>
      <select value={curves} onChange={(event) => select({ curves: event.currentTarget.value as Curves })}>
        {curveKinds.map((kind) => (
          <option key={kind} value={kind}>
            {selection.curveKinds[kind]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The longest time for which a value holds in a time-weighted average. */
export function HoldField({ hold }: { readonly hold: Hold }) {
  return (
    <label class="field">
      <span>{strings.selection.hold}</span>
      <select value={hold} onChange={(event) => select({ hold: Number(event.currentTarget.value) as Hold })}>
        {holds.map((seconds) => (
          <option key={seconds} value={seconds}>
            {formatDuration(seconds * 1000)}
          </option>
        ))}
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
