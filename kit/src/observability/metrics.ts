import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Logger } from "./logger.ts";
import type {
  MetricDefinition,
  MetricDefinitions,
  MetricObserver,
  MetricObservers,
  MetricReaders,
  MetricReading,
  MetricSample,
} from "./metrics-definition.ts";
import { createRpcCounting, type RpcCounting } from "./metrics-rpc.ts";

export {
  defineMetrics,
  type MetricDefinition,
  type MetricDefinitions,
  type MetricReading,
  type MetricSample,
  samplesBy,
} from "./metrics-definition.ts";

/** The metrics of a process. */
export type Metrics = {
  /**
   * Adds metrics. Counters and gauges are read at each scrape, so that counting costs nothing in between; a
   * reader that throws is logged, and its metric has no values that time. Histograms receive each value.
   * @throws Error if a name is there already.
   */
  register<Definitions extends MetricDefinitions>(
    definitions: Definitions,
    readers: MetricReaders<Definitions>,
  ): MetricObservers<Definitions>;
  /** Counts the calls of all servers of the process. */
  readonly rpc: RpcCounting;
  /** Everything, in Prometheus' text format. */
  text(): Promise<string>;
  /** The type of that text, for HTTP. */
  readonly contentType: string;
};

/** What metrics need. */
export type MetricsDependencies = {
  readonly logger: Logger;
  /** Times calls: milliseconds of a clock that never jumps, performance.now by default. */
  readonly monotonicMs?: () => number;
};

/** Metrics of their own, with none yet but those of RPCs. */
export function createMetrics(dependencies: MetricsDependencies): Metrics {
  return createMetricsIn(new Registry(), dependencies);
}

/** Metrics with those of the process and of Node: CPU, memory, handles, delay of the event loop, collections. */
export function createProcessMetrics(dependencies: MetricsDependencies): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return createMetricsIn(registry, dependencies);
}

function createMetricsIn(registry: Registry, { logger, monotonicMs }: MetricsDependencies): Metrics {
  /** What the reader tells, as samples; none if it fails. */
  function samplesOf({ name }: MetricDefinition, read: () => MetricReading): readonly MetricSample[] {
    try {
      const reading = read();
      if (reading === undefined) return [];
      return typeof reading === "number" ? [{ labels: {}, value: reading }] : reading;
    } catch (error) {
      logger.error({ error, metric: name }, "a metric could not be collected");
      return [];
    }
  }

  function addRead(definition: MetricDefinition, read: () => MetricReading): void {
    const options = optionsOf(definition, registry);
    const isPlain = options.labelNames.length === 0;
    if (definition.type === "counter") {
      new Counter({
        ...options,
        collect() {
          this.reset();
          // Or a metric of which nothing is known would say 0.
          if (isPlain) this.remove();
          for (const { labels, value } of samplesOf(definition, read)) this.inc(labels, value);
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          if (isPlain) this.remove();
          for (const { labels, value } of samplesOf(definition, read)) this.set(labels, value);
        },
      });
    }
  }

  const register: Metrics["register"] = (definitions, readers) => {
    const observers: Record<string, MetricObserver> = {};
    const readerOf = readers as Readonly<Record<string, () => MetricReading>>;
    for (const [key, definition] of Object.entries<MetricDefinition>(definitions)) {
      if (definition.type === "histogram") observers[key] = addHistogram(definition, registry);
      else addRead(definition, readerOf[key] as () => MetricReading);
    }
    return observers as MetricObservers<typeof definitions>;
  };

  return {
    register,
    rpc: createRpcCounting({ register }, monotonicMs),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function optionsOf({ name, help, labels = {} }: MetricDefinition, registry: Registry) {
  return { name, help, labelNames: Object.keys(labels), registers: [registry] };
}

function addHistogram(definition: MetricDefinition, registry: Registry): MetricObserver {
  const buckets = [...(definition.buckets ?? [])];
  const histogram = new Histogram({ ...optionsOf(definition, registry), buckets });
  return {
    observe(value, labels) {
      if (labels === undefined) histogram.observe(value);
      else histogram.observe(labels, value);
    },
    show: (labels) => histogram.zero(labels),
  };
}
