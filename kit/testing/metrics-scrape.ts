import { silentLogger } from "../src/observability/logger.ts";
import { createMetrics, type Metrics } from "../src/observability/metrics.ts";
import { startMetricsServer } from "../src/observability/metrics-server.ts";

/** The metrics of a process at one time. */
export type Scrape = {
  /** The names of the metrics with values; a histogram has three. */
  readonly names: ReadonlySet<string>;
  /** Returns the value with exactly these labels; undefined if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** Returns the non-zero values of a metric by the value of one of its labels; values of other labels are added up. */
  by(name: string, label: string): Readonly<Record<string, number>>;
};

/**
 * Reads `/metrics`, for tests.
 * @throws Error if the response is not 200.
 */
export async function scrape(address: string): Promise<Scrape> {
  const response = await fetch(`http://${address}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const samples = (await response.text()).split("\n").flatMap(sampleOf);
  return {
    names: new Set(samples.map(({ name }) => name)),
    value(name, labels = {}) {
      const wanted = keyOf(labels);
      return samples.find((sample) => sample.name === name && keyOf(sample.labels) === wanted)?.value;
    },
    by(name, label) {
      const values: Record<string, number> = {};
      for (const sample of samples) {
        const key = sample.labels[label];
        if (sample.name !== name || key === undefined || sample.value === 0) continue;
        values[key] = (values[key] ?? 0) + sample.value;
      }
      return values;
    },
  };
}

/** Metrics that a test passes to a service, and their address. */
export async function startTestMetrics(): Promise<
  AsyncDisposable & { readonly metrics: Metrics; scrape(): Promise<Scrape> }
> {
  const logger = silentLogger();
  const metrics = createMetrics({ logger });
  const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, { metrics, logger });
  return {
    metrics,
    scrape: () => scrape(`127.0.0.1:${server.port}`),
    [Symbol.asyncDispose]: server.close,
  };
}

type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

function sampleOf(line: string): Sample[] {
  const found = /^([a-z_:0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
  if (!found) return [];
  const [, name = "", labels = "", value = ""] = found;
  const pairs = [...labels.matchAll(/([a-z_0-9]+)="([^"]*)"/gi)].map(([, key, text]) => [key, text]);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}
