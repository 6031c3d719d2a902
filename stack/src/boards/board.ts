/** The units that panels use, in Grafana's words. */
export type Unit =
  | "s"
  | "ms"
  | "d"
  | "bytes"
  | "Bps"
  | "short"
  | "percentunit"
  /** Events a second, of whatever the title names. */
  | "cps"
  /** Calls a second. */
  | "reqps"
  /** Cores in use. */
  | "cores";

/** What every panel says. */
type PanelText = {
  readonly title: string;
  /** What it is, and what a person should think when it goes up. */
  readonly description: string;
  readonly unit: Unit;
};

/** PromQL by legend; `{{label}}` in a legend stands for a label's value. */
export type Queries = Readonly<Record<string, string>>;

/** Values at which a panel changes its colour; `below` where less is worse. */
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
  /** Lines on top of each other, where their sum means something. */
  readonly stacked?: true;
  /** For values of very different size. */
  readonly logarithmic?: true;
};

/** The newest value, large, over its course. */
export type FigurePanel = PanelText & {
  readonly kind: "figure";
  readonly queries: Queries;
  readonly bounds: Bounds;
};

/** How long each value lasted, for what is 0 or 1. */
export type StatePanel = PanelText & {
  readonly kind: "state";
  readonly queries: Queries;
  /** What 0 and 1 mean, and which of them is good. */
  readonly states: { readonly zero: string; readonly one: string; readonly good: 0 | 1 | "both" };
};

/** How many events took how long: one query for the buckets of a histogram. */
export type SpreadPanel = PanelText & {
  readonly kind: "spread";
  /** The increase of each bucket, by `le`. */
  readonly query: string;
};

/** A panel of a board. */
export type Panel = LinesPanel | FigurePanel | StatePanel | SpreadPanel;

/** Panels that tell one thing together. They share the width of the row. */
export type Row = { readonly title: string; readonly panels: readonly Panel[] };

/** A choice above a board: the values of a label. */
export type Variable = {
  /** `$name` in queries; matches everything until something is chosen. */
  readonly name: string;
  readonly label: string;
  readonly metric: string;
  readonly values: string;
};

/** A board of Grafana, as little as it takes to say what it shows. */
export type Board = {
  /** The end of its address, and the name of its file: kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly Variable[];
  readonly rows: readonly Row[];
};

/** The queries of a panel. */
export function queriesOf(panel: Panel): Queries {
  return panel.kind === "spread" ? { "{{le}}": panel.query } : panel.queries;
}
