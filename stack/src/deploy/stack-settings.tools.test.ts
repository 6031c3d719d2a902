import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { aggregatorSettings } from "@devicemesh/aggregator";
import { gatewayProgramSettings } from "@devicemesh/gateway/settings";
import { serveSettings } from "@devicemesh/generator/serve/serve-settings";
import { ingestSettings } from "@devicemesh/ingest/settings";
import { loadSettings, type SettingsDefinition } from "@devicemesh/kit/settings/define-settings";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { operatorSettings } from "@devicemesh/operator";
import { querySettings } from "@devicemesh/query/settings";
import { describe, expect, it } from "vitest";
import { readStack, type StackService } from "../../testing/stack-fixture.ts";
import type { Shape } from "./addresses.ts";

const shapes = ["swarm", "single"] as const satisfies readonly Shape[];
const stacks = new Map(shapes.map((shape) => [shape, readStack(shape, process.env, {}, { admin: true })]));

const definitions: Readonly<Record<string, SettingsDefinition>> = {
  ingest: ingestSettings,
  query: querySettings,
  gateway: gatewayProgramSettings,
  mqtt: gatewayProgramSettings,
  generator: serveSettings,
  operator: operatorSettings,
  aggregator: aggregatorSettings,
};

/** Settings that name a file or folder, which must be mounted. */
const paths = /_(DENY_LIST|SENSORS|CA|CERT|KEY|JWKS|SPILL|_FILE)$/;

/** Services that are a program of another name. */
const programs: Readonly<Record<string, string>> = { mqtt: "gateway" };

const serviceOf = (shape: Shape, name: string): StackService =>
  stacks.get(shape)!.services[name] as StackService;

/** The paths of mounts and volumes in a container. */
function mountsOf({ configs = [], secrets = [], volumes = [] }: StackService): readonly string[] {
  return [
    ...configs.map(({ target }) => target),
    ...secrets.map(({ target }) => (target.startsWith("/") ? target : `/run/secrets/${target}`)),
    ...volumes.map(({ target }) => target),
  ];
}

describe.each(shapes)("the settings of a service in the stack (%s)", (shape) => {
  it.each(Object.keys(definitions))("%s: each is a known setting with a valid value", (name) => {
    const { environment = {}, command = [] } = serviceOf(shape, name);
    using folder = temporaryFolder();
    const env = Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => {
        if (!variable.endsWith("_FILE")) return [variable, value];
        // The same file as in the container, at its local path.
        const file = join(folder.path, variable);
        writeFileSync(file, "the-secret\n");
        return [variable, file];
      }),
    );
    const main = command.findIndex((part) => part.endsWith("/main.ts"));
    const program = programs[name] ?? name;
    expect(command[main]).toMatch(new RegExp(`^/opt/devicemesh/(stack/src/)?${program}/(src/)?main.ts$`));
    const args = command.slice(main + 1).filter((part) => part !== "serve");
    const loaded = loadSettings(definitions[name]!, { args, env });
    expect(loaded.kind === "problems" ? loaded.text : "").toBe("");
  });

  it.each(Object.keys(definitions))("%s: each file in its settings is mounted", (name) => {
    const service = serviceOf(shape, name);
    const mounts = mountsOf(service);
    const reported = Object.entries(service.environment ?? {}).filter(([variable]) => paths.test(variable));
    for (const [variable, path] of reported) {
      const isThere = mounts.some((mount) => path === mount || path.startsWith(`${mount}/`));
      expect(isThere ? "" : `${variable}=${path} is not mounted`).toBe("");
    }
  });

  it("every service of the project has settings", () => {
    const ours = Object.entries(stacks.get(shape)!.services)
      .filter(([, { image }]) => image.includes("devicemesh/services:"))
      .map(([name]) => name);
    expect(ours.sort()).toEqual(Object.keys(definitions).sort());
  });
});

describe("settings of different parts", () => {
  it.each(shapes)("brokers, copies and sinks agree (%s)", (shape) => {
    const { services } = stacks.get(shape)!;
    const brokers = Object.keys(services).filter(
      (name) => /^kafka-\d$/.test(name) && services[name]!.deploy.replicas !== 0,
    );
    const addressed = brokers.map((name) => `${name}:9092`).join(",");
    for (const name of ["ingest", "operator", "aggregator"]) {
      expect(services[name]!.environment?.DEVICEMESH_KAFKA_BROKERS).toBe(addressed);
    }
    // On one machine it also lists brokers that do not exist: a client needs one of them.
    const shown = services["kafka-ui"]!.environment?.KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS;
    expect(shown?.startsWith(addressed)).toBe(true);
    const { DEVICEMESH_REPLICATION, DEVICEMESH_PARTITIONS, DEVICEMESH_SINK_TASKS } =
      services.operator!.environment!;
    expect(Number(DEVICEMESH_REPLICATION)).toBe(brokers.length);
    expect(Number(DEVICEMESH_SINK_TASKS)).toBeLessThanOrEqual(Number(DEVICEMESH_PARTITIONS));
  });

  it.each(shapes)("members of the replica set agree (%s)", (shape) => {
    const { services } = stacks.get(shape)!;
    const members = Object.keys(services)
      .filter((name) => /^mongo-\d$/.test(name) && services[name]!.deploy.replicas !== 0)
      .map((name) => `${name}:27017`);
    const job = services["mongo-init"]!.environment!;
    expect(job.DEVICEMESH_MONGODB_MEMBERS).toBe(members.join(","));
    const first = services["mongo-1"]!;
    expect(job.DEVICEMESH_MONGODB_ADMIN_USER).toBe(first.environment?.MONGO_INITDB_ROOT_USERNAME);
    for (const member of members) {
      expect(services[member.split(":")[0]!]!.command).toContain(
        `--replSet=${job.DEVICEMESH_MONGODB_REPLICA_SET}`,
      );
    }
    // A member with data of its own could not join.
    const others = Object.entries(services).filter(([name]) => /^mongo-[23]$/.test(name));
    for (const [, { environment = {} }] of others)
      expect(environment).not.toHaveProperty("MONGO_INITDB_ROOT_USERNAME");
  });

  it("the sinks read the connection string from a secret of Kafka Connect", () => {
    const { services } = stacks.get("swarm")!;
    expect(services.operator!.environment?.DEVICEMESH_SINK_MONGODB_URL).toBe(
      `\${directory:/run/secrets:mongodb_url}`,
    );
    expect(mountsOf(services.connect!)).toContain("/run/secrets/mongodb_url");
  });
});
