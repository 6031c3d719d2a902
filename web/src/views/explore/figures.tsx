import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AggregateRow, Coverage } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { exactNumber, formatCount, formatError, formatValue, percentileName } from "../../format/numbers.ts";
import { formatMoment, type Zone } from "../../format/times.ts";
import { strings } from "../../strings.ts";
import { CoverageSentence } from "./coverage-sentence.tsx";
import { nameOf } from "./question.ts";

/** The figures of GetAggregates for the selection, and what they cover. */
export function Figures({
  rows,
  hasMore,
  coverage,
  quantiles,
  isWeighted,
  zone,
}: {
  readonly rows: readonly AggregateRow[];
  readonly hasMore: boolean;
  readonly coverage: Coverage | undefined;
  /** The quantiles asked for, in the order of the rows'; none are columns of the table if it is empty. */
  readonly quantiles: readonly number[];
  /** Whether the rows have time-weighted averages. */
  readonly isWeighted: boolean;
  readonly zone: Zone;
}) {
  const { figures } = strings;
  const { columns } = figures;
  return (
    <section class="card" aria-labelledby="figures">
      <h2 id="figures">{figures.title}</h2>
      <p class="quiet">{figures.hint}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={figures.title}>
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">{strings.chart.line}</th>
              {Object.entries(columns).map(([name, text]) => (
                <th key={name} scope="col" class="number">
                  {text}
                </th>
              ))}
              {isWeighted && (
                <th scope="col" class="number">
                  {strings.chart.weighted}
                </th>
              )}
              {quantiles.map((quantile) => (
                <th key={quantile} scope="col" class="number">
                  {percentileName(quantile)}
                </th>
              ))}
              <th scope="col">{figures.unit}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={`${row.deviceId}|${row.sensor}`} {...{ row, quantiles, isWeighted, zone }} />
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && <p class="notice">{figures.more}</p>}
      <CoverageSentence coverage={coverage} zone={zone} />
    </section>
  );
}

function Row({
  row,
  quantiles,
  isWeighted,
  zone,
}: {
  readonly row: AggregateRow;
  readonly quantiles: readonly number[];
  readonly isWeighted: boolean;
  readonly zone: Zone;
}) {
  return (
    <tr>
      <th scope="row">{nameOf(row, strings.chart.allDevices)}</th>
      <td class="number" title={String(row.count)}>
        {formatCount(row.count)}
      </td>
      <Value value={row.average} />
      <Value value={row.minimum} at={row.minimumAt} zone={zone} />
      <Value value={row.maximum} at={row.maximumAt} zone={zone} />
      <Value value={row.standardDeviation} />
      <Value value={row.first?.value} at={row.first?.timestamp} zone={zone} />
      <Value value={row.last?.value} at={row.last?.timestamp} zone={zone} />
      {isWeighted && <Value value={row.timeWeightedAverage?.value} />}
      {quantiles.map((quantile, place) => (
        <Value
          key={quantile}
          value={row.quantiles[place]?.value}
          relativeError={row.quantiles[place]?.relativeError}
        />
      ))}
      <td>{row.unit}</td>
    </tr>
  );
}

/** A figure for reading, with all its digits as its title and data. */
function Value({
  value,
  at,
  relativeError = 0,
  zone = "local",
}: {
  readonly value: number | undefined;
  /** 0 if the value is exact. */
  readonly relativeError?: number | undefined;
  readonly at?: Timestamp | undefined;
  readonly zone?: Zone;
}) {
  return (
    <td class="number" title={exactNumber(value)}>
      <data value={exactNumber(value)}>{formatValue(value)}</data>
      {relativeError > 0 && <small>{formatError(relativeError)}</small>}
      {at && <small>{formatMoment(timestampMs(at), zone)}</small>}
    </td>
  );
}
