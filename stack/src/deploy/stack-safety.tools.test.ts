import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serveSettings } from "@devicemesh/generator/serve/serve-settings";
import { defaultIngestConfig } from "@devicemesh/ingest/limits";
import { ingestSettings } from "@devicemesh/ingest/settings";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { describe, expect, it } from "vitest";
import { bytesOf, millisecondsOf, readStack, type StackService } from "../../testing/stack-fixture.ts";
import type { Shape } from "./addresses.ts";
import { singleNodeLabels } from "./deploy.ts";
import { projectFolder, stackFiles } from "./stack-files.ts";

const shapes = ["swarm", "single"] as const satisfies readonly Shape[];
const stacks = new Map(shapes.map((shape) => [shape, readStack(shape, process.env, {}, { admin: true })]));
const swarm = stacks.get("swarm")!;

const engines = [
  "kafka-1",
  "kafka-2",
  "kafka-3",
  "connect",
  "mongo-1",
  "mongo-2",
  "mongo-3",
  "spark-master",
  "spark-worker",
  "spark-connect",
];
const stateful = engines.filter((name) => /^(kafka|mongo)-/.test(name));
/** May be replaced while the old one still runs. */
const stateless = ["ingest", "query", "gateway"];

const everyService = shapes.flatMap((shape) =>
  Object.entries(stacks.get(shape)!.services).map(([name, service]) => ({ shape, name, service })),
);

describe("networks", () => {
  it("are encrypted, and reach beyond the Swarm only at the front door", () => {
    for (const [name, { driver, driver_opts, internal = false }] of Object.entries(swarm.networks)) {
      expect([name, driver]).toEqual([name, "overlay"]);
      expect(driver_opts).toEqual({ encrypted: "", "com.docker.network.driver.mtu": "1450" });
      expect([name, internal]).toEqual([name, ["mesh", "data", "inspection"].includes(name)]);
    }
  });

  it("contain exactly the services that need them", () => {
    const members = (network: string) =>
      Object.keys(swarm.services)
        .filter((name) => Object.hasOwn(swarm.services[name]?.networks ?? {}, network))
        .sort();
    expect(members("edge")).toEqual(["envoy", "generator", "mqtt"]);
    expect(members("mesh")).toEqual(
      [
        ...["aggregator", "envoy", "gateway", "generator", "ingest", "mqtt", "operator", "prometheus"],
        "query",
      ].sort(),
    );
    expect(members("admin")).toEqual(["grafana", "kafka-ui", "mongo-express", "prometheus"]);
    expect(members("inspection")).toEqual([...stateful, "connect", "kafka-ui", "mongo-express"].sort());
    expect(members("data")).toEqual(
      [...engines, "aggregator", "ingest", "mongo-init", "operator", "query"].sort(),
    );
  });

  it("no engine has a port of its node, and only the front door and MQTT are open to users and devices", () => {
    const published = Object.entries(swarm.services).flatMap(([name, { ports = [] }]) =>
      ports.map(({ mode, published: port }) => `${name} ${mode} ${port}`),
    );
    expect(published.sort()).toEqual(
      [
        "envoy host 443",
        "envoy host 8444",
        "mqtt host 8883",
        "grafana host 3000",
        "kafka-ui host 8080",
        "mongo-express host 8081",
      ].sort(),
    );
  });
});

describe.each(everyService)("$name ($shape)", ({ name, service, shape }) => {
  it("has an image of one exact version", () => {
    expect(service.image).toMatch(/:v?\d+\.\d+(\.\d+)?[\w.-]*$/);
  });

  it("contains no password", () => {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      const isSecret = /PASSWORD|TOKEN_SECRET|SPARK_TOKEN|AUTHENTICATE_TOKEN/.test(variable);
      expect(isSecret && !value.startsWith("/run/secrets/") ? variable : "").toBe("");
      expect(value).not.toMatch(/:\/\/[^/]*:[^/]*@/);
    }
    for (const { target, mode } of service.secrets ?? []) expect([target, mode]).toEqual([target, 0o400]);
  });

  it("writes bounded logs, and has a memory limit above its reservation", () => {
    expect(service.logging?.options).toMatchObject({
      "max-size": expect.any(String),
      "max-file": expect.any(String),
    });
    const { limits, reservations } = service.deploy.resources ?? {};
    expect(limits?.memory).toBeDefined();
    if (reservations?.memory !== undefined) {
      expect(bytesOf(reservations.memory)).toBeLessThanOrEqual(bytesOf(limits!.memory!));
    }
  });

  it("has minimal rights, if its image is ours", () => {
    const isOurs = service.image.includes("/devicemesh/");
    if (!isOurs) return;
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(["ALL"]);
    // Temporary files of Java and scripts; the root file system is read-only.
    expect(service.volumes).toContainEqual(expect.objectContaining({ type: "tmpfs", target: "/tmp" }));
  });

  it("is supervised: health, restarts, replacement", () => {
    if (service.deploy.mode === "replicated-job") {
      expect(service.deploy.restart_policy?.condition).toBe("on-failure");
      return;
    }
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    expect(service.deploy.restart_policy?.condition).toBe("any");
    const order = stateless.includes(name) ? "start-first" : "stop-first";
    expect(service.deploy.update_config).toMatchObject({ order, failure_action: "rollback" });
    expect(service.deploy.rollback_config?.order).toBe(order);
    expect(service.stop_grace_period).toBeDefined();
  });

  it("fits its heap into its memory", () => {
    const heap = heapOf(service);
    const limit = bytesOf(service.deploy.resources!.limits!.memory!);
    if (heap !== undefined) expect(heap / limit).toBeLessThanOrEqual(0.65);
    else expect(/kafka|spark|connect$/.test(name) && shape === "swarm").toBe(false);
  });
});

/** The heap of a JVM, and for a worker also that of its executors; undefined for other services. */
function heapOf({ environment = {}, command = [] }: StackService): number | undefined {
  const { DEVICEMESH_HEAP, JAVA_OPTS, SPARK_WORKER_MEMORY } = environment;
  const written = /-Xmx(\w+)/.exec(JAVA_OPTS ?? "")?.[1] ?? DEVICEMESH_HEAP;
  if (written === undefined) return undefined;
  // The executors' heap; Spark's overhead is in its memory limit, not in this.
  const executors = command[0] === "worker" ? bytesOf(SPARK_WORKER_MEMORY!) * 0.7 : 0;
  return bytesOf(written) + executors;
}

describe("services that must not run twice", () => {
  it.each(["generator", "aggregator", "operator", "spark-master", "spark-connect", ...stateful])(
    "%s has one replica",
    (name) => expect(swarm.services[name]?.deploy.replicas ?? 1).toBe(1),
  );

  it("a service with a volume is bound to its node by a label", () => {
    for (const name of [
      ...stateful,
      "spark-master",
      "spark-connect",
      "spark-worker",
      "prometheus",
      "grafana",
    ]) {
      const { constraints = [] } = swarm.services[name]?.deploy.placement ?? {};
      expect([name, constraints.length]).toEqual([name, 1]);
      expect(constraints[0]).toMatch(/^node\.labels\.devicemesh\./);
    }
    const places = stateful.map((name) => swarm.services[name]?.deploy.placement?.constraints?.[0]);
    expect(new Set(places).size).toBe(stateful.length);
  });

  it("the one node of the overlay gets every label that its services require", () => {
    const { services } = stacks.get("single")!;
    const asked = Object.values(services)
      .filter(({ deploy }) => deploy.replicas !== 0)
      .flatMap(({ deploy }) => deploy.placement?.constraints ?? [])
      .map((constraint) => constraint.replace(/^node\.labels\.|\s/g, "").replace("==", "="));
    expect([...new Set(asked)].sort()).toEqual([...singleNodeLabels].sort());
  });

  it("every name of the overlay exists in the stack", () => {
    expect(stackFiles("single")).toHaveLength(2);
    expect(Object.keys(stacks.get("single")!.services).sort()).toEqual(Object.keys(swarm.services).sort());
  });
});

describe("grace periods exceed the shutdown times", () => {
  const graceOf = (name: string): number => millisecondsOf(swarm.services[name]!.stop_grace_period!);

  it("Envoy: longer than its drain and open units", () => {
    const [, drainSeconds, openCallsSeconds] = swarm.services.envoy!.command!;
    expect(graceOf("envoy")).toBeGreaterThan((Number(drainSeconds) + Number(openCallsSeconds)) * 1000);
    // The response to a unit may take this long after its end.
    const text = readFileSync(join(projectFolder, "envoy/envoy.yaml"), "utf8");
    const answerSeconds = Math.max(
      ...[...text.matchAll(/^\s+timeout: (\d+)s$/gm)]
        .map(([, seconds]) => Number(seconds))
        .filter((s) => s <= 30),
    );
    expect(Number(openCallsSeconds)).toBeGreaterThanOrEqual(answerSeconds);
  });

  it("ingest: longer than open calls and appends that Kafka has not acknowledged", () => {
    const loaded = loadSettings(ingestSettings, { args: [], env: {} });
    if (loaded.kind !== "settings") throw new Error(loaded.text);
    expect(graceOf("ingest")).toBeGreaterThan(
      defaultIngestConfig.shutdownGraceMs + loaded.values.appendTimeout,
    );
  });

  it("the generator: longer than the flush of its outbox", () => {
    const env = swarm.services.generator!.environment!;
    const loaded = loadSettings(serveSettings, {
      args: [],
      env: { DEVICEMESH_GENERATOR_STOP_LIMIT: env.DEVICEMESH_GENERATOR_STOP_LIMIT },
    });
    if (loaded.kind !== "settings") throw new Error(loaded.text);
    expect(graceOf("generator")).toBeGreaterThan(loaded.values.stopLimitMs + 5_000);
  });

  it("engines: longer than in development", () => {
    const stopGraceMs = 20_000;
    for (const name of engines) expect([name, graceOf(name) > stopGraceMs]).toEqual([name, true]);
  });
});
