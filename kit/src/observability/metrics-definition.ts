/** The definition of a metric: enough to register it, and to document it in a table. */
export type MetricDefinition = {
  /** The name in Prometheus' style: snake case, the unit last, and `_total` for counters. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** The unit of a value: readings, seconds, calls. */
  readonly unit: string;
  /** One sentence, without the full stop; no line break. */
  readonly help: string;
  /** The values of each label, or a description if they depend on the mesh. Few, and never from a caller. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>;
  /** The upper bounds of a histogram. */
  readonly buckets?: readonly number[];
};

/** Metrics by their names in the code. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** One value with its labels. */
export type MetricSample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** The current value of a metric: a number, one for each set of labels, or nothing if it is unknown. */
export type MetricReading = number | readonly MetricSample[] | undefined;

type NameOf<Definitions extends MetricDefinitions, IsHistogram extends boolean> = {
  [Name in keyof Definitions]: Definitions[Name]["type"] extends "histogram"
    ? IsHistogram extends true
      ? Name
      : never
    : IsHistogram extends true
      ? never
      : Name;
}[keyof Definitions];

/** For each counter and gauge, the function that reads it at a scrape. A counter returns its total. */
export type MetricReaders<Definitions extends MetricDefinitions> = {
  readonly [Name in NameOf<Definitions, false>]: () => MetricReading;
};

/** Observes the values of a histogram. */
export type MetricObserver = {
  observe(value: number, labels?: Readonly<Record<string, string>>): void;
  /** Exports it with these labels before there is a value, so that rates begin at 0. */
  show(labels: Readonly<Record<string, string>>): void;
};

/** For each histogram, its observer. */
export type MetricObservers<Definitions extends MetricDefinitions> = {
  readonly [Name in NameOf<Definitions, true>]: MetricObserver;
};

/** Returns definitions with their exact type. */
export function defineMetrics<const Definitions extends MetricDefinitions>(
  definitions: Definitions,
): Definitions {
  return definitions;
}

/** Returns the samples of a metric with one label: `{ accepted: 5 }` is 5 for `outcome="accepted"`. */
export function samplesBy(label: string, values: Readonly<Record<string, number>>): readonly MetricSample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
