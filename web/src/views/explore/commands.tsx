import { useState } from "preact/hooks";
import { commandFor, type Language, languages } from "../../mesh/commands.ts";
import type { Bounds } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import { Copyable } from "../../ui/copyable.tsx";
import { type Question, questionJson } from "./question.ts";

/** The figures and the buckets of the selection as calls from elsewhere. */
export function Commands({
  question,
  bounds,
  bucketMs,
}: {
  readonly question: Question;
  readonly bounds: Bounds;
  readonly bucketMs: number | undefined;
}) {
  const [language, setLanguage] = useState<Language>("curl");
  const { commands } = strings;
  const request = questionJson(question, bounds);
  const service = "QueryService";
  const figures = commandFor(language, { service, method: "GetAggregates", request });
  const bucketRequest = { ...request, ...(bucketMs && { bucket: `${bucketMs / 1000}s` }) };
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
