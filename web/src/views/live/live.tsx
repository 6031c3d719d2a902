import { useMemo, useState } from "preact/hooks";
import { linesMax } from "../../chart/palette.ts";
import { panelsOf } from "../../chart/panels.ts";
import { formatCount, formatValue } from "../../format/numbers.ts";
import { formatTime, type Zone } from "../../format/times.ts";
import type { Line } from "../../mesh/lines.ts";
import { useTargets } from "../../mesh/series/targets.ts";
import { linesOfWatched } from "../../mesh/watch.ts";
import { route, select, selection, setParams } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import { pageScale } from "../../ui/page-scale.ts";
import { Problem } from "../../ui/problem.tsx";
import { useNow } from "../../ui/use-now.ts";
import { ChartPanel } from "../explore/chart-panel.tsx";
import { CoverageSentence } from "../explore/coverage-sentence.tsx";
import { nameOf, questionOf } from "../explore/question.ts";
import { BucketField } from "../selection/bucket-field.tsx";
import { SelectionBar } from "../selection/selection-bar.tsx";
import { TargetsNotice } from "../selection/targets-notice.tsx";
import { LateReadings } from "./late-readings.tsx";
import { useWatch } from "./use-watch.ts";

const bucketCounts = ["30", "60", "120", "360"] as const;
const defaultBucketSeconds = 10;
const newestRows = 12;

/** Any selection, followed: the newest buckets as they change, and the old ones that late readings change. */
export function Live() {
  const chosen = selection.value;
  const { zone } = chosen;
  const bucketSeconds = typeof chosen.bucket === "number" ? chosen.bucket : defaultBucketSeconds;
  const buckets = bucketCounts.find((count) => count === route.value.params.get("buckets")) ?? "60";
  const { answer: targets, problem: targetsProblem } = useTargets(chosen);
  const question = targets?.kind === "devices" ? questionOf(chosen, targets) : undefined;
  const { watched, problem } = useWatch(question, { bucketSeconds, bucketsMax: Number(buckets) });
  const lines = useMemo(() => linesOfWatched(watched).slice(0, linesMax), [watched]);
  const panels = useMemo(() => panelsOf(lines, watched.bucketMs), [lines, watched.bucketMs]);
  const [cursor, setCursor] = useState<number | undefined>(undefined);
  const nowMs = useNow();
  const { live } = strings;
  const toMs = Math.max(watched.newestMs + watched.bucketMs, nowMs);
  const span = { sinceMs: toMs - Number(buckets) * bucketSeconds * 1000, toMs };
  return (
    <>
      <h1 class="visually-hidden">{strings.views.live}</h1>
      <SelectionBar>
        <BucketField size={bucketSeconds} isLive />
        <div class="field">
          <span>{live.buckets}</span>
          <Choice
            label={live.buckets}
            options={bucketCounts.map((name) => ({ name, text: name }))}
            chosen={buckets}
            onChoose={(name) => setParams({ buckets: name === "60" ? "" : name })}
          />
        </div>
      </SelectionBar>
      <p class="quiet">{live.hint}</p>
      <TargetsNotice targets={targets} />
      <Problem problem={targetsProblem ?? problem} />
      {lines.length === 0 && <p class="quiet card empty">{live.waiting}</p>}
      <div class="charts panels">
        {panels.map((panel) => (
          <ChartPanel
            key={panel.unit}
            panel={panel}
            zone={zone}
            span={span}
            height={Math.round(Math.max(220 * pageScale(), innerHeight * 0.24))}
            cursorMs={cursor}
            late={watched.late}
            onCursor={setCursor}
            onZoom={({ sinceMs, toMs: end }) => {
              select({ timeframe: { kind: "between", sinceMs, toMs: end } });
              location.hash = location.hash.replace("#/live", "#/explore");
            }}
          />
        ))}
      </div>
      <LateReadings late={watched.late} ahead={watched.ahead} zone={zone} />
      {lines.length > 0 && (
        <section class="card" aria-labelledby="newest">
          <h2 id="newest">{live.newest}</h2>
          <Newest lines={lines} zone={zone} />
          <CoverageSentence coverage={watched.coverage} zone={zone} />
        </section>
      )}
    </>
  );
}

/** The newest buckets as a table: the equivalent of the charts. */
function Newest({ lines, zone }: { readonly lines: readonly Line[]; readonly zone: Zone }) {
  const starts = [...new Set(lines.flatMap(({ points }) => points.map(({ startMs }) => startMs)))];
  const newest = starts.sort((one, other) => other - one).slice(0, newestRows);
  const { chart, live } = strings;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={live.newest}>
      <table>
        <thead>
          <tr>
            <th scope="col">{chart.bucketStart}</th>
            {lines.map((line) => (
              <th key={line.key} scope="col" class="number">
                {nameOf(line, chart.allDevices)} <span class="unit">{line.unit}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newest.map((startMs) => (
            <tr key={startMs}>
              <th scope="row">{formatTime(startMs, zone)}</th>
              {lines.map((line) => {
                const point = line.points.find((each) => each.startMs === startMs);
                return (
                  <td key={line.key} class="number">
                    {point ? `${formatValue(point.average)} (${formatCount(point.count)})` : "–"}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
