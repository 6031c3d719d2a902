/** What a metric is: enough to register it, and to explain it in a table. */
export type MetricDefinition = {
  /** In Prometheus' style: snake case, the unit last, and `_total` for counters. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** What one of its value is: readings, seconds, calls. */
  readonly unit: string;
  /** One sentence, without the full stop; no line break. */
  readonly help: string;
  /** The values of each label, or words for them where they depend on the mesh. Few, and never from a caller. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>;
  /** The upper bounds of a histogram. */
  readonly buckets?: readonly number[];
};

/** Metrics by the names that the code has for them. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** One value with its labels. */
export type MetricSample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** What a metric says at a moment: a number, one for each set of labels, or nothing where nothing is known. */
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

/** For each counter and gauge, how it is read at a scrape. A counter tells its total. */
export type MetricReaders<Definitions extends MetricDefinitions> = {
  readonly [Name in NameOf<Definitions, false>]: () => MetricReading;
};

/** Takes the values of a histogram. */
export type MetricObserver = {
  observe(value: number, labels?: Readonly<Record<string, string>>): void;
  /** Shows it with these labels before there is a value, so that rates begin at 0. */
  show(labels: Readonly<Record<string, string>>): void;
};

/** For each histogram, what takes its values. */
export type MetricObservers<Definitions extends MetricDefinitions> = {
  readonly [Name in NameOf<Definitions, true>]: MetricObserver;
};

/** Gives definitions back with their exact type. */
export function defineMetrics<const Definitions extends MetricDefinitions>(
  definitions: Definitions,
): Definitions {
  return definitions;
}

/** The samples of a metric with one label: `{ accepted: 5 }` is 5 for `outcome="accepted"`. */
export function samplesBy(label: string, values: Readonly<Record<string, number>>): readonly MetricSample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
