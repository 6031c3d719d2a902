import * as common from "@grafana/grafana-foundation-sdk/common";
import { VisibilityMode } from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as heatmap from "@grafana/grafana-foundation-sdk/heatmap";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import {
  type Board,
  type Bounds,
  type FigurePanel,
  type LinesPanel,
  type Panel,
  queriesOf,
  type Row,
  type SpreadPanel,
  type StatePanel,
  type Variable,
} from "./board.ts";

/** The data source of stack/grafana/provisioning. */
export const dataSource = { type: "prometheus", uid: "prometheus" } as const;

const boardTag = "devicemesh";
/** The width of Grafana's grid. */
const gridWidth = 24;
const heights = { row: 1, figures: 5, others: 8 } as const;
const colours = { good: "green", warning: "orange", alarm: "red" } as const;

type PanelBuilder =
  | timeseries.PanelBuilder
  | stat.PanelBuilder
  | statetimeline.PanelBuilder
  | heatmap.PanelBuilder;

/** Returns the board as JSON for Grafana. Pure: the same board gives the same text. */
export function renderBoard(board: Board): string {
  const builder = new dashboard.DashboardBuilder(board.title)
    .uid(`${boardTag}-${board.name}`)
    .description(board.description)
    .tags([boardTag])
    .readonly()
    .time({ from: "now-1h", to: "now" })
    .refresh("10s")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder("Other boards")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([boardTag])
        .keepTime(true),
    );
  for (const variable of board.variables ?? []) builder.withVariable(variableOf(variable));
  let id = 0;
  let top = 0;
  for (const row of board.rows) {
    builder.withRow(
      new dashboard.RowBuilder(row.title).id(++id).gridPos({ x: 0, y: top, w: gridWidth, h: heights.row }),
    );
    top += heights.row;
    const { places, height } = placesOf(row, top);
    row.panels.forEach((panel, index) => {
      builder.withPanel(panelOf(panel).id(++id).gridPos(places[index]!));
    });
    top += height;
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

/** Places panels side by side, at most three (figures: six), in as few lines as possible, each filled to its end. */
function placesOf({ panels }: Row, top: number): { places: dashboard.GridPos[]; height: number } {
  const areFigures = panels.every(({ kind }) => kind === "figure");
  const h = areFigures ? heights.figures : heights.others;
  const lines = Math.ceil(panels.length / (areFigures ? 6 : 3));
  const places: dashboard.GridPos[] = [];
  for (let line = 0; line < lines; line++) {
    const columns = Math.ceil((panels.length - places.length) / (lines - line));
    const w = Math.floor(gridWidth / columns);
    for (let x = 0; x < columns; x++) places.push({ x: x * w, y: top + line * h, w, h });
  }
  return { places, height: lines * h };
}

function panelOf(panel: Panel): PanelBuilder {
  const builder = emptyPanelOf(panel);
  builder.title(panel.title).description(panel.description).unit(panel.unit).datasource(dataSource);
  Object.entries(queriesOf(panel)).forEach(([legend, expression], index) => {
    const query = new prometheus.DataqueryBuilder()
      .datasource(dataSource)
      .refId(String.fromCharCode("A".charCodeAt(0) + index))
      .expr(expression)
      .legendFormat(legend)
      .editorMode(prometheus.QueryEditorMode.Code)
      .range();
    if (panel.kind === "spread") query.format(prometheus.PromQueryFormat.Heatmap);
    builder.withTarget(query);
  });
  return builder;
}

function emptyPanelOf(panel: Panel): PanelBuilder {
  switch (panel.kind) {
    case "lines":
      return linesOf(panel);
    case "figure":
      return figureOf(panel);
    case "state":
      return stateOf(panel);
    case "spread":
      return spreadOf(panel);
  }
}

function linesOf({ bounds, stacked, logarithmic }: LinesPanel): timeseries.PanelBuilder {
  const builder = new timeseries.PanelBuilder()
    .min(0)
    .fillOpacity(stacked ? 30 : 10)
    .showPoints(VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .calcs(["lastNotNull", "max"]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (stacked) builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (logarithmic) {
    // "Symlog" can show zero.
    builder.scaleDistribution(
      new common.ScaleDistributionConfigBuilder()
        .type(common.ScaleDistribution.Symlog)
        .log(10)
        .linearThreshold(1),
    );
  }
  if (bounds) {
    builder
      .thresholds(thresholdsOf(bounds))
      .thresholdsStyle(
        new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
      );
  }
  return builder;
}

function figureOf({ bounds }: FigurePanel): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .thresholds(thresholdsOf(bounds))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .colorMode(common.BigValueColorMode.Background)
    .graphMode(common.BigValueGraphMode.Area)
    .textMode(common.BigValueTextMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false));
}

function stateOf({ states: { zero, one, good } }: StatePanel): statetimeline.PanelBuilder {
  const colour = (state: 0 | 1) => {
    if (good === "both") return state === 1 ? colours.good : "blue";
    return state === good ? colours.good : colours.alarm;
  };
  return new statetimeline.PanelBuilder()
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false).placement(common.LegendPlacement.Bottom))
    .mappings([
      {
        type: dashboard.MappingType.ValueToText,
        options: {
          "0": { text: zero, color: colour(0), index: 0 },
          "1": { text: one, color: colour(1), index: 1 },
        },
      },
    ]);
}

function spreadOf({ unit }: SpreadPanel): heatmap.PanelBuilder {
  return new heatmap.PanelBuilder()
    .calculate(false)
    .yAxis(new heatmap.YAxisConfigBuilder().unit(unit))
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme("Oranges")
        .steps(64),
    )
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true));
}

function thresholdsOf({ warning, alarm, worse = "above" }: Bounds): dashboard.ThresholdsConfigBuilder {
  const middle = warning === undefined ? [] : [{ value: warning, color: colours.warning }];
  const steps =
    worse === "above"
      ? [{ value: null, color: colours.good }, ...middle, { value: alarm, color: colours.alarm }]
      : [
          { value: null, color: colours.alarm },
          ...(warning === undefined ? [] : [{ value: alarm, color: colours.warning }]),
          { value: warning ?? alarm, color: colours.good },
        ];
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps);
}

function variableOf({ name, label, metric, values }: Variable): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(dataSource)
    .query(`label_values(${metric}, ${values})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .current({ selected: true, text: "All", value: "$__all" })
    .multi(true)
    .includeAll(true)
    .allValue(".+");
}
