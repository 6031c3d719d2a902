import { useEffect, useState } from "preact/hooks";
import { fromInputValue, toInputValue, type Zone } from "../../format/times.ts";
import { serverNowMs } from "../../mesh/clients.ts";
import { select } from "../../state/route.ts";
import { boundsAt, parseTimeframe, presets, type Timeframe, timeframeText } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";

const names = [...Object.keys(presets), "all"];

/** The timeframe: one of the usual spans, or everything. */
export function TimeframeField({ timeframe }: { readonly timeframe: Timeframe }) {
  const { selection } = strings;
  return (
    <div class="field">
      <span>{selection.time}</span>
      <Choice
        label={selection.time}
        options={names.map((name) => ({ name, text: selection.spans[name] ?? name }))}
        chosen={timeframe.kind === "between" ? undefined : timeframeText(timeframe)}
        onChoose={(name) => select({ timeframe: parseTimeframe(name) })}
      />
    </div>
  );
}

/** The timeframe by its two bounds. */
export function BoundsField({ timeframe, zone }: { readonly timeframe: Timeframe; readonly zone: Zone }) {
  const { sinceMs = serverNowMs() - presets["1h"], toMs = serverNowMs() } = boundsAt(
    timeframe,
    serverNowMs(),
  );
  const [typed, setTyped] = useState({ since: "", to: "" });
  const key = `${timeframeText(timeframe)} ${zone}`;
  useEffect(() => setTyped({ since: toInputValue(sinceMs, zone), to: toInputValue(toMs, zone) }), [key]);
  const { selection } = strings;
  const apply = (): void => {
    const [since, to] = [fromInputValue(typed.since, zone), fromInputValue(typed.to, zone)];
    if (since !== undefined && to !== undefined && since < to)
      select({ timeframe: { kind: "between", sinceMs: since, toMs: to } });
  };
  return (
    <form
      class="field bounds"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      {(["since", "to"] as const).map((bound) => (
        <label key={bound}>
          <span>{bound === "since" ? selection.from : selection.to}</span>
          <input
            type="datetime-local"
            step="1"
            required
            value={typed[bound]}
            onInput={(event) => setTyped({ ...typed, [bound]: event.currentTarget.value })}
          />
        </label>
      ))}
      <button type="submit">{selection.apply}</button>
    </form>
  );
}
