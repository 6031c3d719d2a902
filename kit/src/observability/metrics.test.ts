import { describe, expect, it } from "vitest";
import { createLogger, silentLogger } from "./logger.ts";
import {
  createMetrics,
  createProcessMetrics,
  defineMetrics,
  type MetricReading,
  samplesBy,
} from "./metrics.ts";

const definitions = defineMetrics({
  done: {
    name: "test_done_total",
    type: "counter",
    unit: "things",
    help: "Things done",
    labels: { how: ["well", "badly"] },
  },
  age: { name: "test_age_seconds", type: "gauge", unit: "seconds", help: "How old it is" },
  tookSeconds: {
    name: "test_took_seconds",
    type: "histogram",
    unit: "seconds",
    help: "How long it took",
    buckets: [1, 2],
  },
});

/** Returns the lines of values, without the descriptions. */
async function valuesOf(metrics: { text(): Promise<string> }): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith("test_"));
}

describe("metrics", () => {
  it("reads counters and gauges at each scrape, and exports observed values of histograms", async () => {
    const metrics = createMetrics({ logger: silentLogger() });
    const done = { healthy: 3, badly: 0 };
    let age: MetricReading = 1.5;
    const { tookSeconds } = metrics.register(definitions, {
      done: () => samplesBy("how", done),
      age: () => age,
    });
    const texts = [await valuesOf(metrics)];
    done.healthy = 5;
    age = -2;
    tookSeconds.observe(1.5);
    texts.push(await valuesOf(metrics));
    const took = (values: readonly number[]) => [
      `test_took_seconds_bucket{le="1"} ${values[0]}`,
      `test_took_seconds_bucket{le="2"} ${values[1]}`,
      `test_took_seconds_bucket{le="+Inf"} ${values[2]}`,
      `test_took_seconds_sum ${values[3]}`,
      `test_took_seconds_count ${values[2]}`,
    ];
    expect(texts).toEqual([
      [
        'test_done_total{how="healthy"} 3',
        'test_done_total{how="badly"} 0',
        "test_age_seconds 1.5",
        ...took([0, 0, 0, 0]),
      ],
      [
        'test_done_total{how="healthy"} 5',
        'test_done_total{how="badly"} 0',
        "test_age_seconds -2",
        ...took([0, 1, 1, 1.5]),
      ],
    ]);
  });

  it("describes each metric", async () => {
    const metrics = createMetrics({ logger: silentLogger() });
    metrics.register(definitions, { done: () => [], age: () => 0 });
    expect(await metrics.text()).toContain(
      "# HELP test_age_seconds How old it is\n# TYPE test_age_seconds gauge\n",
    );
  });

  it("exports no value if it is unknown", async () => {
    const metrics = createMetrics({ logger: silentLogger() });
    let age: number | undefined = 1;
    metrics.register(definitions, { done: () => [], age: () => age });
    expect(await valuesOf(metrics)).toContain("test_age_seconds 1");
    age = undefined;
    expect((await valuesOf(metrics)).filter((line) => !line.startsWith("test_took"))).toEqual([]);
  });

  it("logs metrics that cannot be read, and exports the rest", async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    const metrics = createMetrics({ logger: createLogger({ name: "test", level: "info", destination }) });
    metrics.register(definitions, {
      done: () => samplesBy("how", { healthy: 1 }),
      age() {
        throw new Error("no clock");
      },
    });
    const values = await valuesOf(metrics);
    expect(values).toContain('test_done_total{how="healthy"} 1');
    expect(values.join()).not.toContain("test_age_seconds");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: "a metric could not be collected", metric: "test_age_seconds", error: { message: "no clock" } },
    ]);
  });

  it("rejects a name that exists already", () => {
    const metrics = createMetrics({ logger: silentLogger() });
    const register = () => metrics.register(definitions, { done: () => [], age: () => 0 });
    register();
    expect(register).toThrow("test_done_total");
  });

  it("of a process include CPU, memory and the event loop", async () => {
    const text = await createProcessMetrics({ logger: silentLogger() }).text();
    for (const name of [
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
      "nodejs_eventloop_lag_p99_seconds",
      "nodejs_heap_size_used_bytes",
      "nodejs_gc_duration_seconds",
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
  });
});
