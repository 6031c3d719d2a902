import { useState } from "preact/hooks";
import { callHeaders } from "../../mesh/clients.ts";
import { facts } from "../../mesh/facts.ts";
import { goTo, selectionHref } from "../../state/route.ts";
import { strings } from "../../strings.ts";

/** Loads the recording of a year and goes to it; nothing where the server does not offer it. */
export function SampleYear() {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");
  const { sample } = strings;
  if (!facts.value?.sampleYear) return null;
  const load = async (): Promise<void> => {
    setState("loading");
    try {
      const headers = { ...callHeaders(), "content-type": "application/json" };
      const response = await fetch("/v1/sample-year", { method: "POST", headers, body: "{}" });
      if (!response.ok) throw new Error(response.statusText);
      const { devices, since, to } = (await response.json()) as Sample;
      const timeframe = { kind: "between", sinceMs: Date.parse(since), toMs: Date.parse(to) } as const;
      goTo(selectionHref("explore", { devices, timeframe, zone: "UTC", lines: "series" }));
    } catch {
      setState("failed");
    }
  };
  return (
    <p class="sample">
      <button type="button" disabled={state === "loading"} onClick={() => void load()}>
        {state === "loading" ? sample.loading : sample.load}
      </button>{" "}
      <span class="quiet" role="status">
        {state === "failed" ? sample.failed : sample.hint}
      </span>
    </p>
  );
}

type Sample = { readonly devices: readonly string[]; readonly since: string; readonly to: string };
