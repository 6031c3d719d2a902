import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProperties } from "@devicemesh/engines/plans/template";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readStack } from "../../testing/stack-fixture.ts";
import { addresses } from "./addresses.ts";
import { staleFiles } from "./config-folder.ts";
import { renderConfigFiles } from "./rendered-files.ts";
import { configFolder, mountedFiles, projectFolder, stackFiles } from "./stack-files.ts";

const admin = { admin: true } as const;
const stack = readStack("swarm", process.env, {}, admin);
const { services } = stack;

/** The networks that two services share. */
function meet(one: string, other: string): boolean {
  const networks = Object.keys(services[one]?.networks ?? {});
  return networks.some((network) => Object.hasOwn(services[other]?.networks ?? {}, network));
}

/** The addresses where services listen, from their settings and commands in the stack. */
const listening: Readonly<Record<string, readonly number[]>> = {
  envoy: [addresses.envoy.publicPort, addresses.envoy.devicesPort, addresses.envoy.metricsPort],
  ingest: [portOf("ingest", "DEVICEMESH_PORT"), portOf("ingest", "DEVICEMESH_METRICS_PORT")],
  query: [portOf("query", "DEVICEMESH_PORT"), portOf("query", "DEVICEMESH_METRICS_PORT")],
  generator: [
    portOf("generator", "DEVICEMESH_GENERATOR_PORT"),
    portOf("generator", "DEVICEMESH_GENERATOR_METRICS_PORT"),
  ],
  gateway: [portOf("gateway", "DEVICEMESH_PORT"), portOf("gateway", "DEVICEMESH_METRICS_PORT")],
  mqtt: [portOf("mqtt", "DEVICEMESH_MQTT_PORT"), portOf("mqtt", "DEVICEMESH_METRICS_PORT")],
  operator: [portOf("operator", "DEVICEMESH_OPERATOR_PORT"), portOf("operator", "DEVICEMESH_METRICS_PORT")],
  aggregator: [
    portOf("aggregator", "DEVICEMESH_AGGREGATOR_PORT"),
    portOf("aggregator", "DEVICEMESH_METRICS_PORT"),
  ],
  ...Object.fromEntries(["kafka-1", "kafka-2", "kafka-3"].map((name) => [name, brokerPorts(name)])),
  connect: [Number(propertiesOf("connect-worker.properties").get("rest.advertised.port"))],
  ...Object.fromEntries(["mongo-1", "mongo-2", "mongo-3"].map((name) => [name, [27017]])),
  "spark-master": [7077],
  "spark-connect": [Number(propertiesOf("spark-defaults.conf").get("spark.connect.grpc.binding.port"))],
};

function portOf(service: string, variable: string): number {
  return Number(services[service]?.environment?.[variable]);
}

function propertiesOf(file: string): ReadonlyMap<string, string> {
  return readProperties(readFileSync(join(configFolder, file), "utf8"));
}

function brokerPorts(name: string): readonly number[] {
  const listeners = propertiesOf(`${name}.properties`).get("listeners") ?? "";
  return [...listeners.matchAll(/:(\d+)/g)].map(([, port]) => Number(port));
}

describe("mounted files", () => {
  it("are up to date", () => {
    expect(staleFiles(configFolder, renderConfigFiles())).toEqual([]);
  });

  it("exist, or are made by stack:secrets", () => {
    const others = mountedFiles(stackFiles("swarm", admin)).filter(
      ({ file }) => !file.startsWith("stack/secrets/"),
    );
    for (const { file } of others) expect(readFileSync(join(projectFolder, file)).length).toBeGreaterThan(0);
  });

  it("have names with their own hash, and a size that Swarm accepts", () => {
    const files = mountedFiles(stackFiles("swarm", admin));
    // A different hash for each: a mix-up would show.
    const hashOf = ({ kind, key }: (typeof files)[number]) => `of-${kind}-${key}`;
    const named = readStack(
      "swarm",
      process.env,
      Object.fromEntries(files.map((file) => [file.variable, hashOf(file)])),
      admin,
    );
    for (const mounted of files) {
      const { kind, key, file } = mounted;
      const name = `devicemesh-${key.replaceAll("_", "-")}`;
      expect(stack[kind][key]?.name).toBe(`${name}-0`);
      expect(named[kind][key]?.name).toBe(`${name}-${hashOf(mounted)}`);
      if (!file.startsWith("stack/secrets/")) {
        expect(readFileSync(join(projectFolder, file)).length).toBeLessThan(1_000_000);
      }
    }
  });

  it("are all used by services, and all defined", () => {
    for (const kind of ["configs", "secrets"] as const) {
      const used = new Set(
        Object.values(services).flatMap((service) => (service[kind] ?? []).map(({ source }) => source)),
      );
      expect([...used].sort()).toEqual(Object.keys(stack[kind]).sort());
    }
  });
});

describe("addresses of clients", () => {
  const reported = Object.entries(services).flatMap(([name, { environment = {} }]) =>
    Object.entries(environment)
      .filter(([variable]) =>
        /BROKERS|BOOTSTRAPSERVERS|_URL$|_INGEST$|TARGET|ADDRESS|MEMBERS|SPARK_MASTER/.test(variable),
      )
      .flatMap(([variable, value]) =>
        [...value.matchAll(/(?:^|[/,@]|^tasks\.)([a-z][a-z0-9-]*):(\d+)/g)].map(
          ([, host, port]) => ({ name, variable, host: host as string, port: Number(port) }) as const,
        ),
      )
      .filter(({ host }) => host !== "localhost"),
  );

  it("lead to a service that listens there, on a shared network", () => {
    expect(reported.length).toBeGreaterThan(10);
    for (const { name, variable, host, port } of reported) {
      expect(listening[host] ?? `${name}: ${variable} names ${host}`).toContain(port);
      expect([name, variable, meet(name, host)]).toEqual([name, variable, true]);
    }
  });

  it("Envoy finds the tasks of every service it routes to, where they listen", () => {
    const text = readFileSync(join(configFolder, "envoy.yaml"), "utf8");
    const routed = [...text.matchAll(/"address":"tasks\.([a-z-]+)","port_value":(\d+)/g)];
    // A service may have several clusters: query has one for exports.
    const hosts = new Set(routed.map(([, host]) => host));
    expect([...hosts].sort()).toEqual(["aggregator", "gateway", "generator", "ingest", "query"]);
    for (const [, host, port] of routed) {
      expect(listening[host as string]).toContain(Number(port));
      expect(meet("envoy", host as string)).toBe(true);
    }
  });

  it("Envoy's ports, mounts and drain are those of its service", () => {
    const text = readFileSync(join(configFolder, "envoy.yaml"), "utf8");
    const { ports = [], configs = [], secrets = [], command = [] } = services.envoy!;
    for (const { target } of ports) expect(text).toContain(`"port_value":${target}`);
    const files = [...text.matchAll(/"((?:\/etc\/devicemesh|\/run\/secrets)\/[^"]+)"/g)].map(
      ([, file]) => file,
    );
    const mounted = [
      ...configs.map(({ target }) => target),
      ...secrets.map(({ target }) => `/run/secrets/${target}`),
    ];
    for (const file of new Set(files)) expect(mounted).toContain(file);
    expect(text).toContain(`"address":"127.0.0.1","port_value":${command[0]}`);
  });

  it("Prometheus scrapes every service with metrics, at its address", () => {
    const { scrape_configs } = parse(
      readFileSync(join(projectFolder, "stack/prometheus/prometheus.yml"), "utf8"),
    ) as {
      scrape_configs: { dns_sd_configs?: { names: string[]; port: number }[] }[];
    };
    const targets = scrape_configs.flatMap(({ dns_sd_configs = [] }) =>
      dns_sd_configs.flatMap(({ names, port }) =>
        names.map((name) => ({ host: name.replace(/^tasks\./, ""), port })),
      ),
    );
    const measured = Object.keys(services).filter(
      (name) =>
        name === "envoy" ||
        Object.keys(services[name]?.environment ?? {}).some((variable) => variable.endsWith("METRICS_PORT")),
    );
    expect(targets.map(({ host }) => host).sort()).toEqual(measured.sort());
    for (const { host, port } of targets) {
      expect(listening[host]).toContain(port);
      expect(meet("prometheus", host)).toBe(true);
    }
  });

  it("brokers advertise addresses that the others can reach", () => {
    for (const [place, name] of addresses.kafka.hosts.entries()) {
      const properties = propertiesOf(`${name}.properties`);
      expect(properties.get("node.id")).toBe(`${place + 1}`);
      expect(properties.get("advertised.listeners")).toContain(
        `PLAINTEXT://${services[name]?.hostname}:9092`,
      );
      expect(properties.get("controller.quorum.voters")).toBe("1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093");
      expect(properties.get("min.insync.replicas")).toBe("2");
      const volumes = services[name]?.volumes?.filter(({ type }) => type === "volume") ?? [];
      expect(volumes.map(({ target }) => target)).toEqual([properties.get("log.dirs")]);
    }
  });

  it("Spark's driver has the address that its executors use, and all share one folder of checkpoints", () => {
    const properties = propertiesOf("spark-defaults.conf");
    expect(properties.get("spark.driver.host")).toBe(services["spark-connect"]?.hostname);
    expect(properties.get("spark.master")).toBe(`spark://${services["spark-master"]?.hostname}:7077`);
    expect(Number(properties.get("spark.driver.port"))).toBeGreaterThan(0);
    expect(Number(properties.get("spark.blockManager.port"))).toBeGreaterThan(0);
    const checkpoints = services.aggregator?.environment?.DEVICEMESH_CHECKPOINTS;
    for (const name of ["spark-connect", "spark-worker"]) {
      expect(services[name]?.volumes).toContainEqual(
        expect.objectContaining({ source: "spark-checkpoints", target: checkpoints }),
      );
      expect(services[name]?.deploy.endpoint_mode).toBe("dnsrr");
    }
  });
});
