import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { asGrafanaSends, metricsIn, selectorsIn, withStaticTargets } from "./monitoring.ts";

const config = readFileSync(new URL("../../prometheus/prometheus.yml", import.meta.url), "utf8");
const jobs = ["ingest", "query", "gateway", "generator", "operator", "aggregator", "envoy", "prometheus"];
const targets = Object.fromEntries(jobs.map((job, index) => [job, [`127.0.0.1:${index + 1}`]]));

describe("prometheus.yml with static targets", () => {
  type Config = { scrape_configs: Record<string, unknown>[] } & Record<string, unknown>;

  it("differs only in its targets", () => {
    const strip = ({ scrape_configs, ...others }: Config) => ({
      ...others,
      jobs: scrape_configs.map(({ dns_sd_configs, static_configs, ...job }) => job),
    });
    const made = parse(withStaticTargets(config, targets)) as Config;
    expect(strip(made)).toEqual(strip(parse(config) as Config));
    expect(made.scrape_configs.map((job) => job.static_configs)).toEqual(
      jobs.map((job) => [{ targets: targets[job] }]),
    );
    expect(made.scrape_configs.some((job) => "dns_sd_configs" in job)).toBe(false);
  });

  it("is rejected if a job has no targets, or targets have no job", () => {
    const { envoy: _, ...others } = targets;
    expect(() => withStaticTargets(config, others)).toThrow("no targets for envoy");
    expect(() => withStaticTargets(config, { ...targets, kafka: [] })).toThrow("kafka");
  });
});

describe("prometheus.yml", () => {
  it("finds each service by its tasks, at the port of its metrics", () => {
    const { scrape_configs: found } = parse(config) as {
      scrape_configs: { job_name: string; dns_sd_configs?: object[]; metrics_path?: string }[];
    };
    for (const { job_name: job, dns_sd_configs: names, metrics_path: path } of found) {
      if (job === "prometheus") continue;
      const port = job === "envoy" ? 9902 : 9464;
      const tasks = job === "gateway" ? ["tasks.gateway", "tasks.mqtt"] : [`tasks.${job}`];
      expect(names, job).toEqual([{ names: tasks, type: "A", port, refresh_interval: "10s" }]);
      expect(path, job).toBe(job === "envoy" ? "/stats/prometheus" : undefined);
    }
    expect(found.map(({ job_name: job }) => job)).toEqual(jobs);
  });
});

describe("a query", () => {
  it("gets its variables like in Grafana, or is rejected for an unknown one", () => {
    expect(asGrafanaSends('rate(a{s=~"$service"}[$__rate_interval])')).toBe('rate(a{s=~".+"}[40s])');
    expect(() => asGrafanaSends("rate(a[$__range])")).toThrow("$__range");
  });

  const query = `sum by (envoy_cluster_name, le) (rate(envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="envoy_{not}"}[1m])) / on (grpc_server_x) devicemesh_a_total > 0 or up == 0`;

  it("lists its selectors, without functions and grouping labels", () => {
    expect(selectorsIn(query)).toEqual([
      `envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="envoy_{not}"}`,
      "devicemesh_a_total",
      "up",
    ]);
  });

  it("lists its metrics", () => {
    expect(metricsIn(query)).toEqual(["envoy_cluster_upstream_rq_time", "devicemesh_a_total", "up"]);
  });
});
