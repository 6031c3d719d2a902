import { parse, stringify } from "yaml";

/** host:port of each target, by the name of its job in prometheus.yml. */
export type StaticTargets = Readonly<Record<string, readonly string[]>>;

type ScrapeConfig = { readonly job_name: string } & Readonly<Record<string, unknown>>;

/**
 * Returns a Prometheus configuration with static targets instead of names, for a mesh without DNS. Jobs, intervals and
 * rules stay the same. Pure.
 * @throws Error if a job has no targets here, or there are targets for an unknown job.
 */
export function withStaticTargets(config: string, targets: StaticTargets): string {
  const document = parse(config) as { scrape_configs: readonly ScrapeConfig[] };
  const jobs = document.scrape_configs.map((job) => job.job_name);
  const unknown = Object.keys(targets).filter((name) => !jobs.includes(name));
  const missing = jobs.filter((name) => !Object.hasOwn(targets, name));
  if (unknown.length > 0) throw new Error(`no job in prometheus.yml is called ${unknown.join(", ")}`);
  if (missing.length > 0) throw new Error(`no targets for ${missing.join(", ")}`);
  return stringify({
    ...document,
    scrape_configs: document.scrape_configs.map(({ dns_sd_configs, static_configs, ...job }) => ({
      ...job,
      static_configs: [{ targets: targets[job.job_name] }],
    })),
  });
}

/** Grafana's values of the variables of a query that is shown over an hour or less. */
const grafanaVariables: Readonly<Record<string, string>> = {
  // The largest of four scrape intervals, and of one with a step: see the data source's timeInterval.
  __rate_interval: "40s",
  // "All" of a board's own variables.
  service: ".+",
};

/**
 * Returns a query in the form that Grafana sends. Pure.
 * @throws Error if it has an unknown variable.
 */
export function asGrafanaSends(query: string): string {
  return query.replace(/\$(\w+)/g, (_, name: string) => {
    const value = grafanaVariables[name];
    if (value === undefined) throw new Error(`no variable is called $${name}: ${query}`);
    return value;
  });
}

/** Brackets with names of labels. */
const grouping = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
/** A metric, with its label matchers, if any. */
const selector = /\b(?:(?:devicemesh|grpc_server|envoy|process|nodejs)_\w+|up\b)(?:\{(?:[^}"]|"[^"]*")*\})?/g;

/** Returns the selectors of an expression: metrics with their label matchers. Pure. */
export function selectorsIn(expression: string): readonly string[] {
  return [...new Set(expression.replace(grouping, "").match(selector))];
}

/**
 * Returns the metrics of an expression, by their exposed names: without `_bucket`, because a histogram has one name.
 * Pure.
 */
export function metricsIn(expression: string): readonly string[] {
  const names = selectorsIn(expression).map((text) => text.replace(/\{.*/s, "").replace(/_bucket$/, ""));
  return [...new Set(names)];
}

/** Our metrics that no board shows, and why. */
export const metricsWithoutPanel: Readonly<Record<string, string>> = {};
