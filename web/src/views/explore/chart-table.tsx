import { useMemo, useState } from "preact/hooks";
import { formatCount, formatValue, percentileName } from "../../format/numbers.ts";
import { formatMoment, type Zone } from "../../format/times.ts";
import type { Line } from "../../mesh/lines.ts";
import { strings } from "../../strings.ts";
import { DownloadLinks, saveFile } from "../../ui/download-links.tsx";
import { csvOf } from "./csv.ts";
import { nameOf } from "./question.ts";

/** More rows are in the file. */
const rowsMax = 200;

/** The chart as a table, the newest bucket first, and as a file. */
export function ChartTable(props: TableProps) {
  const [isOpen, setOpen] = useState(false);
  if (props.lines.every(({ points }) => points.length === 0)) return null;
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{strings.chart.table}</summary>
      {isOpen && <Table {...props} />}
    </details>
  );
}

type TableProps = {
  readonly lines: readonly Line[];
  /** The quantiles of the points, if they have some. */
  readonly quantiles: readonly number[];
  /** Whether the points have time-weighted averages. */
  readonly isWeighted: boolean;
  readonly zone: Zone;
  /** The parameters of the same buckets as an export. */
  readonly parameters: Readonly<Record<string, string>>;
};

/** It exists only while it is open: a chart that follows live readings changes every few seconds. */
function Table({ lines, quantiles, isWeighted, zone, parameters }: TableProps) {
  const rows = useMemo(
    () =>
      lines
        .flatMap((line) => line.points.map((point) => ({ line, point })))
        .sort((one, other) => other.point.startMs - one.point.startMs),
    [lines],
  );
  const { chart, commands } = strings;
  return (
    <>
      <p>
        <button
          type="button"
          onClick={() => saveFile(new Blob([csvOf(lines)], { type: "text/csv" }), "chart.csv")}
        >
          {commands.csv}
        </button>
      </p>
      <DownloadLinks label={commands.bucketsAs} path="/v1/buckets" parameters={parameters} />
      <div class="scroll tall" tabIndex={0} role="region" aria-label={chart.table}>
        <table>
          <thead>
            <tr>
              <th scope="col">{chart.bucketStart}</th>
              <th scope="col">{chart.line}</th>
              <th scope="col" class="number">
                {chart.readings}
              </th>
              <th scope="col" class="number">
                {chart.average}
              </th>
              <th scope="col" class="number">
                {chart.minimum}
              </th>
              <th scope="col" class="number">
                {chart.maximum}
              </th>
              {isWeighted && (
                <th scope="col" class="number">
                  {chart.weighted}
                </th>
              )}
              {quantiles.map((quantile) => (
                <th key={quantile} scope="col" class="number">
                  {percentileName(quantile)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, rowsMax).map(({ line, point }) => (
              <tr key={`${line.key}|${point.startMs}`}>
                <th scope="row">{formatMoment(point.startMs, zone)}</th>
                <td>{nameOf(line, chart.allDevices)}</td>
                <td class="number">{formatCount(point.count)}</td>
                <td class="number">{formatValue(point.average)}</td>
                <td class="number">{formatValue(point.minimum)}</td>
                <td class="number">{formatValue(point.maximum)}</td>
                {isWeighted && <td class="number">{formatValue(point.timeWeighted)}</td>}
                {quantiles.map((quantile, place) => (
                  <td key={quantile} class="number">
                    {formatValue(point.quantiles?.[place])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > rowsMax && <p class="quiet">{chart.tableLeft(rows.length - rowsMax)}</p>}
    </>
  );
}
