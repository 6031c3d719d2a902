import { useEffect, useMemo, useState } from "preact/hooks";
import { useSensorNames } from "../../mesh/series/sensor-names.ts";
import { useSeriesPages } from "../../mesh/series/series-pages.ts";
import { route, setParams } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import { pageScale, useIsNarrow } from "../../ui/page-scale.ts";
import { Problem } from "../../ui/problem.tsx";
import type { RowRange } from "../../ui/row-range.ts";
import { VirtualRows } from "../../ui/virtual-rows.tsx";
import { DeviceRow } from "./device-row.tsx";
import { silentAfterMs } from "./device-state.ts";
import { useLatest, useTrends } from "./visible-rows.ts";

/** On phones the sensor is below the device. */
const rowPx = { wide: 44, narrow: 56 } as const;
const leastRows = 12;
/** The share of the screen that the list takes, if that is more. */
const shareOfScreen = 0.55;
/** The next page is read when so many rows are left below. */
const rowsAhead = 40;
const filters = ["all", "online", "silent"] as const;
type Filter = (typeof filters)[number];
const orders = ["name", "latest", "silent"] as const;
type Order = (typeof orders)[number];

/** Every series with its latest value. The server searches and sorts; only the visible rows exist and are followed. */
export function DeviceList({ nowMs }: { readonly nowMs: number }) {
  const [range, setRange] = useState<RowRange>({ first: 0, end: 0 });
  const { params } = route.value;
  const search = params.get("search") ?? "";
  const sensor = params.get("sensor") ?? "";
  const state = filters.find((name) => name === params.get("show")) ?? "all";
  const order = orders.find((name) => name === params.get("order")) ?? "name";
  const pages = useSeriesPages({ search, sensor, state, order, silentAfterMs });
  const rows = pages.series;
  const visible = useMemo(() => rows.slice(range.first, range.end), [rows, range.first, range.end]);
  const latest = useLatest(visible);
  const trends = useTrends(visible);
  useEffect(() => {
    if (range.end > rows.length - rowsAhead) pages.readMore();
  }, [range.end, rows.length]);
  const rowHeight = Math.round(rowPx[useIsNarrow() ? "narrow" : "wide"] * pageScale());
  const rowsShown = Math.max(leastRows, Math.floor((innerHeight * shareOfScreen) / rowHeight));
  const { overview } = strings;
  const { columns } = overview;
  return (
    <section class="card" aria-labelledby="devices">
      <div class="card-head">
        <h2 id="devices">{overview.devices}</h2>
        <input
          class="search"
          type="search"
          aria-label={overview.search}
          placeholder={overview.searchHint}
          value={search}
          onInput={(event) => setParams({ search: event.currentTarget.value }, { replace: true })}
        />
        <SensorFilter sensor={sensor} />
        <Choice<Filter>
          label={columns.state}
          options={filters.map((name) => ({ name, text: overview.filters[name] }))}
          chosen={state}
          onChoose={(name) => setParams({ show: name === "all" ? "" : name }, { replace: true })}
        />
        <select
          aria-label={overview.order}
          value={order}
          onChange={({ currentTarget: { value } }) =>
            setParams({ order: value === "name" ? "" : value }, { replace: true })
          }
        >
          {orders.map((name: Order) => (
            <option key={name} value={name}>
              {overview.orders[name]}
            </option>
          ))}
        </select>
        <span class="quiet found" role="status">
          {pages.total !== undefined && overview.found(rows.length, pages.total)}
        </span>
      </div>
      <Problem problem={pages.problem} />
      {pages.total === undefined && !pages.problem && <p class="quiet">{strings.loading}</p>}
      {pages.total === 0 && <p class="quiet">{overview.noneFound}</p>}
      {rows.length > 0 && (
        <VirtualRows
          count={rows.length}
          rowHeight={rowHeight}
          maxHeight={rowsShown * rowHeight}
          label={overview.devices}
          onRange={setRange}
          header={
            <div role="row" class="row">
              {Object.entries(columns).map(([name, text]) => (
                <span key={name} role="columnheader" class={`cell-${name}`}>
                  {text}
                </span>
              ))}
            </div>
          }
          row={(index) => {
            const series = rows[index];
            if (!series) return null;
            return (
              <DeviceRow
                key={series.key}
                index={index}
                series={latest.get(series.key) ?? series}
                trend={trends.get(series.key)}
                nowMs={nowMs}
              />
            );
          }}
        />
      )}
    </section>
  );
}

function SensorFilter({ sensor }: { readonly sensor: string }) {
  const { overview } = strings;
  const names = useSensorNames();
  const offered = names.includes(sensor) || sensor === "" ? names : [sensor, ...names];
  return (
    <select
      aria-label={overview.columns.sensor}
      value={sensor}
      onChange={(event) => setParams({ sensor: event.currentTarget.value }, { replace: true })}
    >
      <option value="">{overview.allSensors}</option>
      {offered.map((name) => (
        <option key={name} value={name}>
          {name.replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}
