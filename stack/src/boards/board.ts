/** The units of panels, by Grafana's names. */
export type Unit =
  | "s"
  | "ms"
  | "d"
  | "bytes"
  | "Bps"
  | "short"
  | "percentunit"
  /** Events a second, of the kind in the title. */
  | "cps"
  /** Calls a second. */
  | "reqps"
  /** Cores in use. */
  | "cores";

/** The common properties of panels. */
type PanelText = {
  readonly title: string;
  /** Its meaning, and the interpretation of an increase. */
  readonly description: string;
  readonly unit: Unit;
};

/** PromQL by legend; `{{label}}` in a legend is replaced by a label's value. */
export type Queries = Readonly<Record<string, string>>;

/** Values at which a panel changes its colour; `below` if lower values are worse. */
export type Bounds = {
  readonly warning?: number;
  readonly alarm: number;
  readonly worse?: "above" | "below";
};

/** Lines over time. */
export type LinesPanel = PanelText & {
  readonly kind: "lines";
  readonly queries: Queries;
  readonly bounds?: Bounds;
  /** Stacked lines, if their sum is meaningful. */
  readonly stacked?: true;
  /** For values of very different magnitude. */
  readonly logarithmic?: true;
};

/** The newest value, large, over its history. */
export type FigurePanel = PanelText & {
  readonly kind: "figure";
  readonly queries: Queries;
  readonly bounds: Bounds;
};

/** The duration of each value, for values of 0 and 1. */
export type StatePanel = PanelText & {
  readonly kind: "state";
  readonly queries: Queries;
  /** The meanings of 0 and 1, and which of them is good. */
  readonly states: { readonly zero: string; readonly one: string; readonly good: 0 | 1 | "both" };
};

/** The distribution of durations: one query for the buckets of a histogram. */
export type SpreadPanel = PanelText & {
  readonly kind: "spread";
  /** Query of the increase of each bucket, by `le`. */
  readonly query: string;
};

/** A panel of a board. */
export type Panel = LinesPanel | FigurePanel | StatePanel | SpreadPanel;

/** Panels on one topic. They share the width of the row. */
export type Row = { readonly title: string; readonly panels: readonly Panel[] };

/** A selector above a board: the values of a label. */
export type Variable = {
  /** `$name` in queries; matches everything until a value is chosen. */
  readonly name: string;
  readonly label: string;
  readonly metric: string;
  readonly values: string;
};

/** A board of Grafana, in a minimal form. */
export type Board = {
  /** The end of its URL, and the name of its file: kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly Variable[];
  readonly rows: readonly Row[];
};

/** Returns the queries of a panel. */
export function queriesOf(panel: Panel): Queries {
  return panel.kind === "spread" ? { "{{le}}": panel.query } : panel.queries;
}
