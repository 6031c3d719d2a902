import { localZone, type Zone } from "../../format/times.ts";
import { select } from "../../state/route.ts";
import { strings } from "../../strings.ts";

/** The time zone of what is shown: the browser's, UTC or any other that it knows. */
export function ZoneField({ zone }: { readonly zone: Zone }) {
  const { selection } = strings;
  const others = Intl.supportedValuesOf("timeZone");
  return (
    <label class="field">
      <span>{selection.zone}</span>
      <select value={zone} onChange={(event) => select({ zone: event.currentTarget.value })}>
        <option value="local">{selection.local(localZone())}</option>
        <option value="UTC">UTC</option>
        {zone !== "local" && zone !== "UTC" && !others.includes(zone) && <option value={zone}>{zone}</option>}
        {others
          .filter((name) => name !== "UTC")
          .map((name) => (
            <option key={name} value={name}>
              {name.replaceAll("_", " ")}
            </option>
          ))}
      </select>
    </label>
  );
}
