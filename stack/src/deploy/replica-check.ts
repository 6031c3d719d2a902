import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { stackLimits } from "../limits.ts";
import { addresses } from "./addresses.ts";
import { type Docker, DockerError } from "./docker.ts";

type Merged = {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly deploy?: { readonly replicas?: number } }>
  >;
};

/**
 * Resolves when every partition has all its replicas in sync and every member of the replica set is ready. A job in the
 * stack's network checks this, because neither Kafka nor MongoDB is reachable from outside.
 * @param merged output of `docker stack config`
 * @throws DockerError if a replica is still missing after 15 minutes.
 */
export async function requireReplicas(
  docker: Docker,
  stack: string,
  merged: string,
  pollMs: number,
): Promise<void> {
  const { services } = parse(merged) as Merged;
  const running = (hosts: readonly string[], port: number): string =>
    hosts
      .filter((host) => services[host] !== undefined && services[host].deploy?.replicas !== 0)
      .map((host) => `${host}:${port}`)
      .join(",");
  const name = `${stack}_replicas`;
  docker.run([
    ...["service", "create", "--quiet", "--detach=true", "--no-resolve-image", "--name", name],
    ...["--mode", "replicated-job", "--restart-condition", "none", "--endpoint-mode", "dnsrr"],
    ...["--network", `${stack}_data`, "--limit-memory", "256M", "--read-only", "--cap-drop", "ALL"],
    ...["--env", `DEVICEMESH_KAFKA_BROKERS=${running(addresses.kafka.hosts, addresses.kafka.port)}`],
    ...["--env", `DEVICEMESH_MONGODB_MEMBERS=${running(addresses.mongo.hosts, addresses.mongo.port)}`],
    ...[services.ingest?.image ?? "", "node", "/opt/devicemesh/stack/src/replicas/main.ts"],
  ]);
  try {
    await untilEnded(docker, name, pollMs);
  } finally {
    docker.run(["service", "rm", name]);
  }
}

async function untilEnded(docker: Docker, name: string, pollMs: number): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const state = docker.read([
      "service",
      "ps",
      "--no-trunc",
      "--format",
      "{{.CurrentState}} {{.Error}}",
      name,
    ]);
    if (/^Complete/.test(state)) return;
    if (/^(?:Failed|Rejected)/.test(state) || performance.now() - startMs > stackLimits.replicasMs) {
      const printed = docker.read(["service", "logs", "--raw", "--tail", "3", name]).trim();
      throw new DockerError(
        `replicas are missing, so the next broker or member of the database is not replaced: ${printed || state.trim()}`,
      );
    }
    await delay(pollMs);
  }
}
