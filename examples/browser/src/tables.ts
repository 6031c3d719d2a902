import type { AggregateRow } from "../gen/devicemesh/v1/aggregate_pb.ts";
import { element } from "./element.ts";
import { formatCount, formatMoment, formatNumber, formatTime, formatValue } from "./format.ts";
import type { Series, Window } from "./watch-windows.ts";

/** Further rows are counted, not shown. */
const rowsMax = 200;

/** Shows a row for each series; its button selects it. The other cells have their unit in the column `unit`. */
export function showTotals(
  table: HTMLTableElement,
  rows: readonly AggregateRow[],
  {
    chosen,
    onChoose,
    goesOn,
  }: {
    readonly chosen: Series | undefined;
    readonly onChoose: (series: Series) => void;
    /** There are more rows than these. */
    readonly goesOn: boolean;
  },
): void {
  const focused = table.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const body = rows.slice(0, rowsMax).map((row) => {
    const isChosen = row.deviceId === chosen?.deviceId && row.sensor === chosen.sensor;
    const button = element(
      "button",
      { type: "button", id: `${row.deviceId}|${row.sensor}`, "aria-pressed": `${isChosen}` },
      row.deviceId,
    );
    button.addEventListener("click", () => onChoose(row));
    return element(
      "tr",
      {},
      element("th", { scope: "row", class: "text" }, button),
      element("td", { class: "text" }, row.sensor),
      ...figuresOf(row).map((text) => element("td", {}, text)),
      element("td", {}, row.last ? formatNumber(row.last.value) : "–"),
      element("td", {}, formatMoment(row.last?.timestamp)),
    );
  });
  const left = rows.length - body.length;
  if (left > 0) {
    const text = `and ${goesOn ? "more than " : ""}${formatCount(left)} more: name the devices to see them`;
    body.push(element("tr", {}, element("td", { class: "text", colspan: 10 }, text)));
  }
  fill(table, ["Device", "Sensor", ...figureNames, "Latest", "at"], body);
  if (focused) document.getElementById(focused)?.focus();
}

/** Shows a row for each window, the newest first. */
export function showWindows(table: HTMLTableElement, windows: readonly Window[], bucketMs: number): void {
  const body = windows.toReversed().map(({ startMs, row }) => {
    const time = element(
      "time",
      { datetime: new Date(startMs).toISOString() },
      formatTime(startMs, bucketMs),
    );
    return element(
      "tr",
      {},
      element("th", { scope: "row", class: "text" }, time),
      ...figuresOf(row).map((text) => element("td", {}, text)),
    );
  });
  fill(table, ["From", ...figureNames], body);
}

/** Shows the figures of one window in a list of terms. */
export function showFigures(list: HTMLElement, window: Window | undefined, what: string): void {
  if (!window) {
    list.replaceChildren();
    return;
  }
  const { average, minimum, maximum, count, unit } = window.row;
  const figure = (term: string, text: string, kind?: string) => {
    const [value = "", ofUnit = ""] = text.split(" ");
    const shown = element("dd", {}, value, " ", element("span", { class: "unit" }, ofUnit));
    return element("div", { class: kind }, element("dt", {}, term), shown);
  };
  list.replaceChildren(
    figure(`Average ${what}`, formatValue(average, unit), "main"),
    figure("Minimum", formatValue(minimum, unit)),
    figure("Maximum", formatValue(maximum, unit)),
    figure("Readings", formatCount(count)),
  );
}

const figureNames = ["Readings", "Average", "Minimum", "Maximum", "Deviation", "Unit"] as const;

function figuresOf(row: AggregateRow): string[] {
  const { count, average, minimum, maximum, standardDeviation, unit } = row;
  const figures = [average, minimum, maximum, standardDeviation];
  return [
    formatCount(count),
    ...figures.map((figure) => (figure === undefined ? "–" : formatNumber(figure))),
    unit,
  ];
}

function fill(table: HTMLTableElement, names: readonly string[], body: readonly HTMLElement[]): void {
  const isText = (name: string) => ["Device", "Sensor", "From"].includes(name);
  const head = names.map((name) =>
    element("th", { scope: "col", class: isText(name) ? "text" : undefined }, name),
  );
  table.tHead?.remove();
  for (const old of [...table.tBodies]) old.remove();
  table.append(element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}
