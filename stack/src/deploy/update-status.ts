import { setTimeout as delay } from "node:timers/promises";
import { type SettleLimits, stackLimits } from "../limits.ts";
import { type Docker, DockerError } from "./docker.ts";

/** The Swarm's state of a service. */
type ServiceState = {
  readonly name: string;
  /** The state of its last update, such as `completed` or `rollback_completed`; undefined if it was never updated. */
  readonly update: string | undefined;
  readonly startedAt: string;
  /** Number of healthy running tasks, and of desired ones. */
  readonly running: number;
  readonly wanted: number;
};

/** Updates as they were before a deployment: what ended then is not an outcome of it. */
export type UpdatesBefore = ReadonlyMap<string, string>;

/** Reads when the last update of each service of a stack began. */
export function readUpdates(docker: Docker, stack: string): UpdatesBefore {
  return new Map(readServices(docker, stack).map(({ name, startedAt }) => [name, startedAt]));
}

/**
 * Resolves when these services of a stack have all their tasks and no update is in progress. Docker reports success
 * even after it has rolled back a service: only the state of the update shows it.
 * @throws DockerError for a service that was rolled back or whose update is paused, or after the limit.
 */
export async function untilSettled(
  docker: Docker,
  stack: string,
  services: readonly string[],
  before: UpdatesBefore,
  { limitMs, quietMs, pollMs }: SettleLimits = stackLimits.settle,
): Promise<void> {
  const startMs = performance.now();
  const names = new Set(services.map((service) => `${stack}_${service}`));
  for (;;) {
    const states = readServices(docker, stack).filter(({ name }) => names.has(name));
    for (const state of states) {
      if (state.startedAt !== before.get(state.name)) throwIfFailed(state);
    }
    const pending = states.filter(
      ({ update, running, wanted }) =>
        running !== wanted || /^(?:updating|rollback_started)$/.test(update ?? ""),
    );
    const elapsedMs = performance.now() - startMs;
    if (pending.length === 0 && states.length === names.size && elapsedMs >= quietMs) return;
    if (elapsedMs > limitMs) {
      const missing = pending.map(({ name, running, wanted }) => `${name} has ${running} of ${wanted} tasks`);
      throw new DockerError(
        `${missing.join(", ")} after ${Math.round(limitMs / 1000)} s: \`docker service ps --no-trunc ${pending[0]?.name}\` shows why; everything else is unchanged`,
      );
    }
    await delay(pollMs);
  }
}

function throwIfFailed({ name, update = "" }: ServiceState): void {
  if (!/^(?:paused|rollback_)/.test(update)) return;
  throw new DockerError(
    `the update of ${name} failed (${update}): \`docker service ps --no-trunc ${name}\` shows why. Services of the same step are still updated or rolled back by the Swarm; later steps were not begun`,
  );
}

/** Every service of a stack. */
function readServices(docker: Docker, stack: string): readonly ServiceState[] {
  const filter = ["--filter", `label=com.docker.stack.namespace=${stack}`];
  const listed = docker.read(["service", "ls", ...filter, "--format", "{{.Name}} {{.Replicas}}"]);
  const replicas = new Map(
    listed
      .trim()
      .split("\n")
      .flatMap((row) => {
        const [, name, running, wanted] = /^(\S+) (\d+)\/(\d+)/.exec(row) ?? [];
        return name === undefined ? [] : [[name, [Number(running), Number(wanted)]] as const];
      }),
  );
  if (replicas.size === 0) return [];
  const format =
    "{{.Spec.Name}} {{if .UpdateStatus}}{{.UpdateStatus.State}} {{.UpdateStatus.StartedAt}}{{end}}";
  const inspected = docker.read(["service", "inspect", "--format", format, ...replicas.keys()]);
  return inspected
    .trim()
    .split("\n")
    .map((row) => {
      const [name = "", update = "", ...startedAt] = row.trim().split(" ");
      const [running = 0, wanted = 0] = replicas.get(name) ?? [];
      return {
        name,
        update: update === "" ? undefined : update,
        startedAt: startedAt.join(" "),
        running,
        wanted,
      };
    });
}
