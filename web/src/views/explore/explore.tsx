import { timestampMs } from "@bufbuild/protobuf/wkt";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { OutsideReadings } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { useRef } from "preact/hooks";
import { linesMax } from "../../chart/palette.ts";
import { formatError } from "../../format/numbers.ts";
import { formatMoment, ianaZone, localZone, type Zone } from "../../format/times.ts";
import type { LinesRequest } from "../../mesh/buckets.ts";
import { boundsFields, bucketsMax, readLines } from "../../mesh/buckets.ts";
import { query, serverNowMs } from "../../mesh/clients.ts";
import { rawFields, rawFiguresOf, withRawFigures } from "../../mesh/raw-figures.ts";
import { useTargets } from "../../mesh/series/targets.ts";
import { usePolled } from "../../mesh/use-polled.ts";
import type { BucketSize } from "../../state/bucket.ts";
import { selection } from "../../state/route.ts";
import type { Selection } from "../../state/selection.ts";
import { boundsAt, presets, timeframeText } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { Problem } from "../../ui/problem.tsx";
import { useElementWidth } from "../../ui/use-element-width.ts";
import { BucketField } from "../selection/bucket-field.tsx";
import { CurvesField, FillField, HoldField } from "../selection/curves-field.tsx";
import { SelectionBar } from "../selection/selection-bar.tsx";
import { TargetsNotice } from "../selection/targets-notice.tsx";
import { BoundsField, TimeframeField } from "../selection/timeframe-field.tsx";
import { ChartTable } from "./chart-table.tsx";
import { Commands } from "./commands.tsx";
import { ExploreCharts } from "./explore-charts.tsx";
import { Figures } from "./figures.tsx";
import { exportParameters, type Question, questionOf } from "./question.ts";
import { RawReadings } from "./raw-readings.tsx";

const fastPollMs = 2000;
const slowPollMs = 30_000;
/** Figures rows in one request; more are for another view. */
const rowsMax = 200;

/** Any selection over any timeframe: charts, figures, raw readings, and the commands for the same. */
export function Explore() {
  const chosen = selection.value;
  const { timeframe, zone, bucket } = chosen;
  const { answer: targets, problem: targetsProblem } = useTargets(chosen);
  const place = useRef<HTMLDivElement>(null);
  const width = useElementWidth(place);
  const question = targets?.kind === "devices" && width > 0 ? questionOf(chosen, targets) : undefined;
  const { answer, problem, isLoading } = useAnswer(question, chosen, width);
  const bounds = answer?.bounds ?? boundsAt(timeframe, serverNowMs());
  return (
    <>
      <h1 class="visually-hidden">{strings.views.explore}</h1>
      <SelectionBar
        options={
          <>
            <BoundsField timeframe={timeframe} zone={zone} />
            <CurvesField curves={chosen.curves} />
            {chosen.curves === "weighted" && <HoldField hold={chosen.hold} />}
            <BucketField size={bucket} automaticMs={answer?.bucketMs} />
            <FillField fill={chosen.fill} />
          </>
        }
      >
        <TimeframeField timeframe={timeframe} />
      </SelectionBar>
      <div ref={place} class="explore" aria-busy={isLoading}>
        <TargetsNotice targets={targets} />
        <Problem problem={targetsProblem ?? problem} />
        {question?.left && (
          <p class="notice">{strings.chart.tooManySeries(question.left.shown, question.left.total)}</p>
        )}
        {question && !answer && !problem && <div class="card panel waiting">{strings.loading}</div>}
        {answer && targets?.kind === "devices" && (
          <>
            {answer.outside.map((outside) => (
              <p key={String(outside.first?.seconds)} class="notice">
                {outsideText(outside, zone)}
              </p>
            ))}
            {answer.isRefused && chosen.curves !== "range" && (
              <p class="notice">{strings.chart.refused[chosen.curves]}</p>
            )}
            {answer.quantileError > 0 && (
              <p class="quiet">{strings.chart.approximate(formatError(answer.quantileError))}</p>
            )}
            <ExploreCharts
              lines={answer.lines}
              bucketMs={answer.bucketMs}
              curves={answer.curves}
              bounds={bounds}
              zone={zone}
            />
            <Figures
              rows={answer.rows}
              hasMore={answer.hasMore}
              coverage={answer.coverage}
              quantiles={rawFiguresOf(chosen).quantiles ?? []}
              isWeighted={chosen.curves === "weighted"}
              zone={zone}
            />
            <ChartTable
              lines={answer.lines}
              quantiles={rawFiguresOf({ ...chosen, curves: answer.curves }).quantiles ?? []}
              isWeighted={answer.curves === "weighted"}
              zone={zone}
              parameters={exportParameters(question ?? { ...targets, groupBy: GroupBy.SERIES }, bounds, {
                bucket: typeof bucket === "string" ? bucket : `${answer.bucketMs / 1000}s`,
                zone: ianaZone(zone) ?? localZone(),
              })}
            />
          </>
        )}
        {question && (
          <>
            <RawReadings question={question} timeframe={timeframe} zone={zone} />
            <Commands question={question} bounds={bounds} chosen={chosen} bucketMs={answer?.bucketMs} />
          </>
        )}
      </div>
    </>
  );
}

/** Requests chart and figures of one and the same timeframe, again while it ends now. */
function useAnswer(question: Question | undefined, chosen: Selection, width: number) {
  const { timeframe, bucket, zone, fill } = chosen;
  const points = pointsOf(width, question);
  const key = JSON.stringify([
    question,
    timeframeText(timeframe),
    bucket,
    typeof bucket === "string" ? zone : "",
    points,
    chosen.curves,
    chosen.curves === "weighted" ? chosen.hold : "",
    fill,
  ]);
  const isLong = timeframe.kind !== "last" || timeframe.spanMs > presets["24h"];
  const everyMs = question && timeframe.kind !== "between" ? (isLong ? slowPollMs : fastPollMs) : undefined;
  return usePolled(key, everyMs, async (signal) => {
    if (!question) return undefined;
    const bounds = boundsAt(timeframe, serverNowMs());
    const resolution = resolutionOf(bucket, zone, points);
    const fields = {
      deviceIds: [...question.deviceIds],
      sensors: [...question.sensors],
      groupBy: question.groupBy,
    };
    const wanted = rawFiguresOf(chosen);
    const [lines, aggregates] = await Promise.all([
      withRawFigures(wanted, (figures) =>
        readLines({ ...fields, bounds, resolution, fill, figures }, signal),
      ),
      withRawFigures(wanted, (figures) =>
        query.getAggregates(
          { ...fields, ...boundsFields(bounds), pageSize: rowsMax, ...rawFields(figures) },
          { signal },
        ),
      ),
    ]);
    const { rows, coverage, nextPageToken } = aggregates.answer;
    return {
      ...lines.answer,
      lines: lines.answer.lines.slice(0, linesMax),
      quantileError: lines.answer.lines.reduce(
        (most, { points }) => points.reduce((error, each) => Math.max(error, each.quantileError ?? 0), most),
        0,
      ),
      curves: lines.isRefused ? ("range" as const) : chosen.curves,
      isRefused: lines.isRefused || aggregates.isRefused,
      rows,
      coverage,
      hasMore: nextPageToken !== "",
      bounds,
    };
  });
}

function resolutionOf(bucket: BucketSize, zone: Zone, maxPoints: number): LinesRequest["resolution"] {
  if (bucket === undefined) return { maxPoints };
  if (typeof bucket === "number") return { bucketSeconds: bucket };
  return { unit: bucket, timeZone: ianaZone(zone) ?? localZone() };
}

/** A point for every two pixels, in steps so that a resize is seldom another request, and not too many in all. */
function pointsOf(width: number, question: Question | undefined): number {
  const lines = question?.left ? linesMax : Math.max(question?.deviceIds.length ?? 1, 1);
  const wanted = Math.ceil(width / 200) * 100;
  return Math.max(50, Math.min(wanted, Math.floor(bucketsMax / 2 / Math.min(lines, linesMax))));
}

function outsideText({ count, first, last }: OutsideReadings, zone: Zone): string {
  const [from, to] = [first, last].map((at) => formatMoment(at && timestampMs(at), zone));
  return strings.chart.outside(count, from ?? "", to ?? "");
}
