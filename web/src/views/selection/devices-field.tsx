import { useEffect, useState } from "preact/hooks";
import { directory } from "../../mesh/directory.ts";
import { select } from "../../state/route.ts";
import { listOf } from "../../state/selection.ts";
import { strings } from "../../strings.ts";

const suggestionsMax = 20;

/** Names and patterns of devices, with suggestions for the name that is being typed. */
export function DevicesField({ devices }: { readonly devices: readonly string[] }) {
  const text = devices.join(", ");
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const { selection } = strings;
  const apply = (): void => {
    const next = listOf(typed);
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
        {suggestions(typed).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </form>
  );
}

/** Completions of the last name in the text, with what stands before it. */
function suggestions(typed: string): string[] {
  const [, before = "", last = ""] = /^(.*,\s*)?([^,]*)$/s.exec(typed) ?? [];
  const start = last.trim().toLowerCase();
  const found = new Set<string>();
  for (const { deviceId } of directory.value?.series ?? []) {
    if (deviceId.toLowerCase().includes(start)) found.add(`${before}${deviceId}`);
    if (found.size >= suggestionsMax) break;
  }
  return [...found];
}
