import { describe, expect, it } from "vitest";
import type { MeshCredentials } from "./credentials.ts";
import { planGateway, planGenerator, planServices, type ServicesConfig } from "./service-plans.ts";

const config: ServicesConfig = {
  engines: {
    kafkaBrokers: ["127.0.0.1:1", "127.0.0.1:2"],
    connectUrl: "http://127.0.0.1:3",
    mongodbUrl: "mongodb://127.0.0.1:4",
    sparkUrl: "127.0.0.1:5",
  },
  host: "127.0.0.1",
  ports: { envoy: 8080, ingest: 50051, query: 0, generator: 8081 },
  topicPrefix: "",
  database: "devicemesh",
  partitions: 4,
  replication: 1,
  windowMs: 10_000,
  segmentMs: 5000,
  retainRawMs: 3_600_000,
  retainWindowsMs: { finest: 7_200_000, tenMinutes: undefined, day: 86_400_000 },
  checkpoints: "checkpoints",
  corsOrigin: undefined,
  devices: undefined,
  spill: "outbox",
  logLevel: "info",
};

const address = "127.0.0.1:8080";

/** Returns the value after a flag. */
function valueAfter(args: readonly string[], flag: string): string | undefined {
  return args[args.indexOf(flag) + 1];
}

describe("the plans of the services", () => {
  it("request the configured port first, and then the port that a service had", () => {
    const { ingest, query } = planServices(config);
    expect(valueAfter(ingest.args(undefined), "--port")).toBe("50051");
    expect(valueAfter(query.args(40_404), "--port")).toBe("40404");
  });

  it("give operator and ingest the same retention, and sizes with their unit", () => {
    const { operator, ingest } = planServices(config);
    for (const { args } of [operator, ingest]) {
      expect(valueAfter(args(undefined), "--retain-raw")).toBe("3600000ms");
    }
    expect(valueAfter(operator.args(undefined), "--retain-10s")).toBe("7200000ms");
    expect(operator.args(undefined)).not.toContain("--retain-10min");
    expect(valueAfter(operator.args(undefined), "--retain-1day")).toBe("86400000ms");
    expect(valueAfter(operator.args(undefined), "--segment")).toBe("5000ms");
    expect(valueAfter(operator.args(undefined), "--kafka-brokers")).toBe("127.0.0.1:1,127.0.0.1:2");
  });

  it("put no password into arguments, which every user of the machine can read", () => {
    const mongodbUrl = "mongodb://mesh:secret@127.0.0.1:4";
    const secret = { ...config, engines: { ...config.engines, mongodbUrl } };
    const plans = [...Object.values(planServices(secret)), planGenerator(secret, address)];
    for (const { args } of plans) expect(args(undefined).join(" ")).not.toContain("secret");
    const known = plans
      .filter(({ env }) => env?.DEVICEMESH_MONGODB_URL === mongodbUrl)
      .map(({ name }) => name);
    expect(known).toEqual(["operator", "aggregator", "query"]);
  });

  it("let services accept any host name behind a front door that is open without authentication", () => {
    const flag = "--insecure-beyond-loopback";
    const open = planServices({ ...config, host: "0.0.0.0" });
    expect(open.query.args(undefined)).toContain(flag);
    expect(planServices(config).query.args(undefined)).not.toContain(flag);
  });

  it("let a generator without devices wait for a call", () => {
    expect(planGenerator(config, address).args(undefined)).toContain("--idle");
    const simulating = planGenerator({ ...config, devices: 7 }, address).args(undefined);
    expect(simulating).not.toContain("--idle");
    expect(valueAfter(simulating, "--devices")).toBe("7");
  });

  it("let services listen on this machine only, whatever the front door does", () => {
    const open = { ...config, host: "0.0.0.0" };
    for (const { args } of [...Object.values(planServices(open)), planGenerator(open, address)]) {
      expect(valueAfter(args(undefined), "--host")).toBe("127.0.0.1");
    }
  });

  it("let query list by reflection the services behind the one address, except its own", () => {
    const reflected = valueAfter(planServices(config).query.args(undefined), "--reflect-services");
    expect(reflected?.split(",").sort()).toEqual(
      ["AggregatorService", "GeneratorService", "IngestService"].map((name) => `devicemesh.v1.${name}`),
    );
  });

  it("give one file of sensors to every service that reads their values", () => {
    const known = { ...config, sensors: "sensors.yaml" };
    const { operator, ingest, query } = planServices(known);
    for (const { args } of [operator, ingest, query, planGateway(known, address)])
      expect(valueAfter(args(undefined), "--sensors")).toBe("sensors.yaml");
  });

  it("let services trust Envoy if authentication is on, and the generator present a gateway's certificate", () => {
    const pair = { certificate: "g.pem", key: "g-key.pem" };
    const credentials: MeshCredentials = {
      folder: "certs",
      authority: "ca.pem",
      server: { certificate: "s.pem", key: "s-key.pem" },
      jwks: "jwks.json",
      denyList: "denied.txt",
      gateway: { prefix: "demo-", ...pair },
    };
    const known = { ...config, identity: { credentials, publicPort: 8443, devicesPort: 8444 } };
    const flag = "--trust-forwarded-identity";
    const { ingest, query } = planServices(known);
    const generator = planGenerator(known, address).args(undefined);
    for (const args of [ingest.args(undefined), query.args(undefined), generator]) {
      expect(args).toContain(flag);
      expect(valueAfter(args, "--deny-list")).toBe("denied.txt");
    }
    expect(valueAfter(generator, "--device-prefix")).toBe("demo-");
    expect(valueAfter(generator, "--cert")).toBe("g.pem");
    expect(planServices(config).ingest.args(undefined)).not.toContain(flag);
  });
});
