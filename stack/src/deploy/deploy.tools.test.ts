import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Stack } from "../../testing/stack-fixture.ts";
import { type Deployment, deploy, localRegistry, singleNodeLabels } from "./deploy.ts";
import { createDocker, type Docker } from "./docker.ts";
import { projectFolder, stackFiles } from "./stack-files.ts";

const real = createDocker({ env: process.env, variables: {}, dryRun: false, report: () => {} });

/** The output of `docker service inspect` about a service's last update after each poll. */
type Update = "none" | "updating" | "completed" | "paused" | "rollback_started" | "rollback_completed";

/** Docker's own client for commands that need no engine; the others are recorded. */
function recordedDocker(
  options: {
    readonly running?: boolean;
    readonly node?: string;
    /** The states of this service's update, one a poll, after the deployment that it is part of. */
    readonly updates?: Readonly<Record<string, readonly Update[]>>;
    /** The Swarm's state of earlier updates. */
    readonly earlier?: Readonly<Record<string, Update>>;
    /** The state of the job that waits for replicas. */
    readonly replicas?: string;
    /** Services that permanently lack a task. */
    readonly incomplete?: readonly string[];
  } = {},
) {
  const ran: string[] = [];
  const checks: string[] = [];
  const polls = new Map<string, number>();
  const services = Object.keys(
    (parse(real.read(["stack", "config", "-c", "docker-stack.yml"])) as Stack).services,
  );
  const row = (name: string): string => {
    const states = ran.length === 0 ? undefined : options.updates?.[name];
    if (states === undefined) {
      const earlier = options.earlier?.[name];
      return earlier === undefined ? `mesh_${name}` : `mesh_${name} ${earlier} 2026-11-01 10:00:00`;
    }
    const poll = polls.get(name) ?? 0;
    polls.set(name, poll + 1);
    const state = states[Math.min(poll, states.length - 1)];
    return state === "none" ? `mesh_${name}` : `mesh_${name} ${state} 2026-11-02 10:00:00`;
  };
  const docker: Docker = {
    read(args) {
      const line = args.join(" ");
      if (line.startsWith("stack config")) return real.read(args);
      if (line.startsWith("service ps")) return options.replicas ?? "Complete 1 second ago ";
      if (line.startsWith("service logs")) return "replicas: 2 partitions are under-replicated (a/0, a/1)\n";
      if (line.startsWith("service ls --quiet")) return options.running === true ? "abc\ndef\n" : "";
      if (line.startsWith("service ls")) {
        return services
          .map((name) => `mesh_${name} ${options.incomplete?.includes(name) ? 0 : 1}/1`)
          .join("\n");
      }
      if (line.startsWith("service inspect")) return services.map(row).join("\n");
      if (line.startsWith("info")) return `${options.node ?? ""}\n`;
      throw new Error(`unexpected: docker ${line}`);
    },
    run(args) {
      const line = args.join(" ");
      if (line.startsWith("service ")) checks.push(line);
      else ran.push(line);
    },
  };
  return { docker, ran, checks };
}

const deployment = (docker: Docker, changes: Partial<Deployment> = {}): Deployment => ({
  shape: "swarm",
  files: stackFiles(changes.shape ?? "swarm"),
  config: { name: "mesh", dryRun: false },
  registry: "registry.example.com/",
  docker,
  missing: [],
  limits: { limitMs: 500, quietMs: 20, pollMs: 5 },
  report: () => {},
  ...changes,
});

describe("deploying", () => {
  it("starts a new stack at once: brokers need each other to start", async () => {
    const { docker, ran } = recordedDocker();
    await deploy(deployment(docker));
    expect(ran).toHaveLength(1);
    expect(ran[0]).toMatch(/^stack deploy --detach=true --prune .*-c docker-stack.yml mesh$/);
  });

  it("updates a running stack by replacing brokers and the database's members one after another, and waits", async () => {
    const { docker, ran } = recordedDocker({ running: true });
    await deploy(deployment(docker));
    expect(ran).toHaveLength(3);
    // Docker would remove services that are not in the file.
    for (const line of ran.slice(0, 2)) expect(line).not.toContain("--prune");
    const files = ran.slice(0, 2).map((line) => /-c (\S+) mesh$/.exec(line)?.[1] as string);
    const deployed = files.map((file) =>
      Object.keys((parse(readFileSync(join(projectFolder, file), "utf8")) as { services: object }).services),
    );
    expect(deployed).toEqual([
      ["kafka-1", "mongo-1"],
      ["kafka-2", "mongo-2"],
    ]);
    expect(ran[2]).toContain("--prune");
  });

  it.each([
    ["rollback_completed", ["updating", "rollback_started", "rollback_completed"]],
    ["rollback_started", ["updating", "rollback_started"]],
    ["paused", ["none", "updating", "paused"]],
  ] as const)("stops if a broker's update ends as %s, which Docker reports as success", async (_, states) => {
    const { docker, ran } = recordedDocker({ running: true, updates: { "kafka-1": states } });
    await expect(deploy(deployment(docker))).rejects.toThrow(/mesh_kafka-1 failed .*docker service ps/);
    expect(ran).toHaveLength(1);
  });

  it("fails if the last step rolls a service back", async () => {
    const { docker, ran } = recordedDocker({
      running: true,
      updates: { query: ["updating", "rollback_started"] },
    });
    await expect(deploy(deployment(docker))).rejects.toThrow("mesh_query failed");
    expect(ran).toHaveLength(3);
  });

  it("ignores a rollback of an earlier deployment", async () => {
    const { docker, ran } = recordedDocker({ running: true, earlier: { "kafka-1": "rollback_completed" } });
    await deploy(deployment(docker));
    expect(ran).toHaveLength(3);
  });

  it("waits until an update has ended before it updates the next broker", async () => {
    const states = [...Array.from({ length: 8 }, () => "updating" as const), "completed" as const];
    const { docker, ran } = recordedDocker({ running: true, updates: { "mongo-1": states } });
    const deployed = deploy(deployment(docker));
    expect(ran).toHaveLength(1);
    await deployed;
    expect(ran).toHaveLength(3);
  });

  it("waits after each broker until all replicas are in sync, and removes the job that checks", async () => {
    const { docker, checks } = recordedDocker({ running: true });
    await deploy(deployment(docker));
    expect(checks).toHaveLength(4);
    expect(checks[0]).toMatch(
      /^service create .*--network mesh_data .*devicemesh\/services:\S+ node \S+\/replicas\/main.ts$/,
    );
    expect(checks[0]).toContain("DEVICEMESH_KAFKA_BROKERS=kafka-1:9092,kafka-2:9092,kafka-3:9092");
    expect(checks[0]).toContain("DEVICEMESH_MONGODB_MEMBERS=mongo-1:27017,mongo-2:27017,mongo-3:27017");
    expect(checks[1]).toBe("service rm mesh_replicas");
  });

  it("stops if replicas are still missing, and names them", async () => {
    const { docker, ran, checks } = recordedDocker({
      running: true,
      replicas: "Failed 1 second ago task: non-zero exit (1)",
    });
    await expect(deploy(deployment(docker))).rejects.toThrow("2 partitions are under-replicated (a/0, a/1)");
    expect(ran).toHaveLength(1);
    expect(checks.at(-1)).toBe("service rm mesh_replicas");
  });

  it("stops waiting for a task at the time limit", async () => {
    const { docker, ran } = recordedDocker({ running: true, incomplete: ["mongo-1"] });
    await expect(deploy(deployment(docker))).rejects.toThrow("mesh_mongo-1 has 0 of 1 tasks");
    expect(ran).toHaveLength(1);
  });

  it("requires a registry for several nodes, and looks up no local image", async () => {
    const { docker, ran } = recordedDocker({ node: "n0de" });
    await expect(deploy(deployment(docker, { registry: "" }))).rejects.toThrow("DEVICEMESH_REGISTRY");
    expect(ran).toEqual([]);
    await deploy(deployment(docker, { registry: localRegistry }));
    await deploy(deployment(docker));
    await deploy(deployment(docker, { registry: "", shape: "single" }));
    const resolved = ran.flatMap((line) => /--resolve-image (\w+)/.exec(line)?.[1] ?? []);
    expect(resolved).toEqual(["never", "changed", "never"]);
  });

  it("labels the one node of the overlay, and deploys everything at once", async () => {
    const { docker, ran } = recordedDocker({ running: true, node: "n0de" });
    await deploy(deployment(docker, { shape: "single" }));
    expect(ran).toHaveLength(2);
    for (const label of singleNodeLabels) expect(ran[0]).toContain(`--label-add ${label}`);
    expect(ran[0]).toMatch(/ n0de$/);
    expect(ran[1]).toMatch(/-c docker-stack.yml -c docker-stack.single.yml mesh$/);
  });

  it("reports what to do if the machine is not in a Swarm", async () => {
    const { docker, ran } = recordedDocker({ node: "" });
    await expect(deploy(deployment(docker, { shape: "single" }))).rejects.toThrow("docker swarm init");
    expect(ran).toEqual([]);
  });

  it("reports what to do if there are no secrets, and runs nothing", async () => {
    const { docker, ran } = recordedDocker();
    const missing = [
      { kind: "secrets", key: "spark_token", file: "stack/secrets/spark_token", variable: "X" },
    ] as const;
    await expect(deploy(deployment(docker, { missing }))).rejects.toThrow(
      /1 file is missing \(stack\/secrets\/spark_token\): run `npm run stack:secrets/,
    );
    expect(ran).toEqual([]);
  });
});
