import { useEffect, useState } from "preact/hooks";
import { useDeviceNames } from "../../mesh/series/device-names.ts";
import { select } from "../../state/route.ts";
import { namesOf } from "../../state/selection.ts";
import { strings } from "../../strings.ts";

/** Names and patterns of devices, with suggestions for the name that is being typed. */
export function DevicesField({ devices }: { readonly devices: readonly string[] }) {
  const text = devices.join(", ");
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const [, before = "", last = ""] = /^(.*,\s*)?([^,]*)$/s.exec(typed) ?? [];
  const names = useDeviceNames(last.trim());
  const { selection } = strings;
  const apply = (): void => {
    const next = namesOf(typed);
    if (next.join() !== devices.join()) select({ devices: next });
  };
  return (
    <form
      class="field grow"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <label>
        <span>{selection.devices}</span>
        <input
          list="device-names"
          placeholder={selection.devicesHint}
          title={selection.devicesHelp}
          spellcheck={false}
          autocomplete="off"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onChange={apply}
        />
      </label>
      <datalist id="device-names">
        {names.map((name) => (
          <option key={name} value={`${before}${name}`} />
        ))}
      </datalist>
    </form>
  );
}
