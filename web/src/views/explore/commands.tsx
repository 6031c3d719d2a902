import { useState } from "preact/hooks";
import { ianaZone, localZone } from "../../format/times.ts";
import { commandFor, type Language, languages } from "../../mesh/commands.ts";
import { rawFieldsJson, rawFiguresOf } from "../../mesh/raw-figures.ts";
import type { Selection } from "../../state/selection.ts";
import type { Bounds } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import { Copyable } from "../../ui/copyable.tsx";
import { type Question, questionJson } from "./question.ts";

/** The figures and the buckets of the selection as calls from elsewhere. */
export function Commands({
  question,
  bounds,
  chosen,
  bucketMs,
}: {
  readonly question: Question;
  readonly bounds: Bounds;
  readonly chosen: Pick<Selection, "bucket" | "zone" | "curves" | "hold" | "fill">;
  readonly bucketMs: number | undefined;
}) {
  const [language, setLanguage] = useState<Language>("curl");
  const { commands } = strings;
  const request = { ...questionJson(question, bounds), ...rawFieldsJson(rawFiguresOf(chosen)) };
  const service = "QueryService";
  const figures = commandFor(language, { service, method: "GetAggregates", request });
  const bucketRequest = {
    ...request,
    ...(chosen.fill !== "none" && { fillMode: `FILL_${chosen.fill.toUpperCase()}` }),
    ...resolutionJson(chosen, bucketMs),
  };
  const buckets = commandFor(language, { service, method: "ListBuckets", request: bucketRequest });
  return (
    <details class="card">
      <summary>{commands.title}</summary>
      <Choice
        label={commands.title}
        options={languages.map((name) => ({ name, text: name }))}
        chosen={language}
        onChoose={setLanguage}
      />
      <Copyable text={figures} label="GetAggregates" />
      <Copyable text={buckets} label="ListBuckets" />
    </details>
  );
}

function resolutionJson(
  { bucket, zone }: Pick<Selection, "bucket" | "zone">,
  bucketMs: number | undefined,
): Record<string, unknown> {
  if (typeof bucket === "string") {
    const unit = `CALENDAR_UNIT_${bucket.toUpperCase()}`;
    return { calendar: { unit, timeZone: ianaZone(zone) ?? localZone() } };
  }
  return bucketMs === undefined ? {} : { bucket: `${bucketMs / 1000}s` };
}
