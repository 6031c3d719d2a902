import { useMemo, useState } from "preact/hooks";
import { directory, type KnownSeries } from "../../mesh/directory.ts";
import { route, setParams } from "../../state/route.ts";
import { isPattern, matcherOf } from "../../state/selection.ts";
import { strings } from "../../strings.ts";
import { Choice } from "../../ui/choice.tsx";
import type { RowRange } from "../../ui/row-range.ts";
import { VirtualRows } from "../../ui/virtual-rows.tsx";
import { DeviceRow } from "./device-row.tsx";
import { stateOf } from "./device-state.ts";
import { useLatest, useTrends } from "./visible-rows.ts";

const rowHeight = 44;
const listHeight = 12 * rowHeight;
const filters = ["all", "online", "silent"] as const;
type Filter = (typeof filters)[number];

/** Every series with its latest value; only the visible rows exist and are followed. */
export function DeviceList({ nowMs }: { readonly nowMs: number }) {
  const [range, setRange] = useState<RowRange>({ first: 0, end: 0 });
  const { params } = route.value;
  const search = params.get("search") ?? "";
  const filter = filters.find((name) => name === params.get("show")) ?? "all";
  const known = directory.value;
  // The ages of 100,000 rows need not be judged every second.
  const judgedMs = Math.floor(nowMs / 10_000) * 10_000;
  const rows = useMemo(
    () => filtered(known?.series ?? [], { search, filter, nowMs: judgedMs }),
    [known, search, filter, filter === "all" ? 0 : judgedMs],
  );
  const visible = rows.slice(range.first, range.end);
  const latest = useLatest(visible);
  const trends = useTrends(visible);
  const { overview } = strings;
  const { columns } = overview;
  if (!known) return <p class="quiet">{strings.loading}</p>;
  return (
    <section class="card" aria-labelledby="devices">
      <div class="card-head">
        <h2 id="devices">{overview.devices}</h2>
        <input
          type="search"
          aria-label={overview.search}
          placeholder={overview.searchHint}
          value={search}
          onInput={(event) => setParams({ search: event.currentTarget.value }, { replace: true })}
        />
        <Choice<Filter>
          label={columns.state}
          options={[
            { name: "all", text: overview.filterAll },
            { name: "online", text: overview.filterOnline },
            { name: "silent", text: overview.filterSilent },
          ]}
          chosen={filter}
          onChoose={(name) => setParams({ show: name === "all" ? "" : name }, { replace: true })}
        />
        <span class="quiet" role="status">
          {known.isWhole
            ? overview.found(rows.length, known.total)
            : overview.loadingMore(known.series.length, known.total)}
        </span>
      </div>
      {rows.length === 0 ? (
        <p class="quiet">{overview.noneFound}</p>
      ) : (
        <VirtualRows
          count={rows.length}
          rowHeight={rowHeight}
          maxHeight={listHeight}
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

/** The series whose device or sensor contains the text, or matches the pattern, and whose state is asked for. Pure. */
export function filtered(
  series: readonly KnownSeries[],
  { search, filter, nowMs }: { readonly search: string; readonly filter: Filter; readonly nowMs: number },
): readonly KnownSeries[] {
  const text = search.trim().toLowerCase();
  const matches = isPattern(text) ? matcherOf([text]) : (name: string) => name.toLowerCase().includes(text);
  const isFound = ({ deviceId, sensor }: KnownSeries) => text === "" || matches(deviceId) || matches(sensor);
  const isShown = (each: KnownSeries) =>
    filter === "all" || (stateOf(each, nowMs).kind === "silent") === (filter === "silent");
  return text === "" && filter === "all" ? series : series.filter((each) => isFound(each) && isShown(each));
}
