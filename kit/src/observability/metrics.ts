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
   * Adds metrics. Counters and gauges are read at each scrape, so that counting costs nothing in between; if a reader
   * throws, the error is logged, and its metric has no values that time. Histograms receive each value.
   * @throws Error if a name exists already.
   */
  register<Definitions extends MetricDefinitions>(
    definitions: Definitions,
    readers: MetricReaders<Definitions>,
  ): MetricObservers<Definitions>;
  /** Counts the calls of all servers of the process. */
  readonly rpc: RpcCounting;
  /** Returns everything, in Prometheus' text format. */
  text(): Promise<string>;
  /** The content type of that text, for HTTP. */
  readonly contentType: string;
};

/** The dependencies of metrics. */
export type MetricsDependencies = {
  readonly logger: Logger;
  /** The clock for durations: monotonic milliseconds, performance.now by default. */
  readonly monotonicMs?: () => number;
};

/** Creates a separate registry, with only those of RPCs. */
export function createMetrics(dependencies: MetricsDependencies): Metrics {
  return createMetricsIn(new Registry(), dependencies);
}

/**
 * Creates a registry with the metrics of the process and of Node: CPU, memory, handles, delay of the event loop,
 * collections.
 */
export function createProcessMetrics(dependencies: MetricsDependencies): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return createMetricsIn(registry, dependencies);
}

function createMetricsIn(registry: Registry, { logger, monotonicMs }: MetricsDependencies): Metrics {
  /** Returns the reader's samples; none if it fails. */
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
          // Otherwise a metric with an unknown value would export 0.
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
