import { useMemo } from "preact/hooks";
import { formatCount, formatValue } from "../../format/numbers.ts";
import { formatMoment, type Zone } from "../../format/times.ts";
import type { Line } from "../../mesh/lines.ts";
import { strings } from "../../strings.ts";
import { csvOf } from "./csv.ts";
import { nameOf } from "./question.ts";

/** More rows are in the file. */
const rowsMax = 200;

/** The chart as a table, the newest bucket first, and as a file. */
export function ChartTable({
  lines,
  bucketMs,
  zone,
}: {
  readonly lines: readonly Line[];
  readonly bucketMs: number;
  readonly zone: Zone;
}) {
  const rows = useMemo(
    () =>
      lines
        .flatMap((line) => line.points.map((point) => ({ line, point })))
        .sort((one, other) => other.point.startMs - one.point.startMs),
    [lines],
  );
  const { chart, commands } = strings;
  if (rows.length === 0) return null;
  return (
    <details class="card">
      <summary>{chart.table}</summary>
      <p>
        <button type="button" onClick={() => download(csvOf(lines), `buckets-${bucketMs / 1000}s.csv`)}>
          {commands.csv}
        </button>
      </p>
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
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > rowsMax && <p class="quiet">{chart.tableLeft(rows.length - rowsMax)}</p>}
    </details>
  );
}

function download(text: string, name: string): void {
  const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = Object.assign(document.createElement("a"), { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href));
}
