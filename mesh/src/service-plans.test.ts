import { describe, expect, it } from "vitest";
import { planGenerator, planQuery, planServices, type ServicesConfig } from "./service-plans.ts";

const config: ServicesConfig = {
  engines: {
    kafkaBrokers: ["127.0.0.1:1", "127.0.0.1:2"],
    connectUrl: "http://127.0.0.1:3",
    mongodbUrl: "mongodb://127.0.0.1:4",
    sparkUrl: "127.0.0.1:5",
  },
  host: "127.0.0.1",
  ports: { ingest: 50051, query: 0, generator: 8081 },
  topicPrefix: "",
  database: "devicemesh",
  partitions: 4,
  replication: 1,
  windowMs: 10_000,
  segmentMs: 5000,
  retainRawMs: 3_600_000,
  checkpoints: "checkpoints",
  corsOrigin: undefined,
  devices: undefined,
  spill: "outbox",
  logLevel: "info",
};

const addresses = { ingest: "127.0.0.1:50051", generator: "127.0.0.1:8081" };

/** The value that follows a flag. */
function valueAfter(args: readonly string[], flag: string): string | undefined {
  return args[args.indexOf(flag) + 1];
}

describe("the plans of the services", () => {
  it("ask for the configured port first, and for the one that a service had from then on", () => {
    const { ingest } = planServices(config);
    expect(valueAfter(ingest.args(undefined), "--port")).toBe("50051");
    expect(valueAfter(planQuery(config, addresses).args(40_404), "--port")).toBe("40404");
  });

  it("tell operator and ingest one retention, and give sizes their unit", () => {
    const { operator, ingest } = planServices(config);
    for (const { args } of [operator, ingest]) {
      expect(valueAfter(args(undefined), "--retain-raw")).toBe("3600000ms");
    }
    expect(valueAfter(operator.args(undefined), "--segment")).toBe("5000ms");
    expect(valueAfter(operator.args(undefined), "--kafka-brokers")).toBe("127.0.0.1:1,127.0.0.1:2");
  });

  it("have a generator without devices wait for a call", () => {
    expect(planGenerator(config, addresses.ingest).args(undefined)).toContain("--idle");
    const playing = planGenerator({ ...config, devices: 7 }, addresses.ingest).args(undefined);
    expect(playing).not.toContain("--idle");
    expect(valueAfter(playing, "--devices")).toBe("7");
  });

  it("open services beyond this machine only where that was said, and never the inner ones", () => {
    const open = { ...config, host: "0.0.0.0", insecureBeyondLoopback: true };
    const flag = "--insecure-beyond-loopback";
    const { operator, aggregator, ingest } = planServices(open);
    const outer = [ingest, planQuery(open, addresses), planGenerator(open, addresses.ingest)];
    for (const { args } of outer) expect(args(undefined)).toContain(flag);
    expect(planServices(config).ingest.args(undefined)).not.toContain(flag);
    for (const { args } of [operator, aggregator]) {
      expect(args(undefined)).not.toContain(flag);
      expect(valueAfter(args(undefined), "--host")).toBe("127.0.0.1");
    }
  });
});
