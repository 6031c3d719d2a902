import { setTimeout as delay } from "node:timers/promises";

/** The checks: each resolves with the missing replicas, or rejects if there is no answer. */
export type ReplicaSources = {
  readonly partitions: () => Promise<readonly string[]>;
  readonly members: () => Promise<readonly string[]>;
};

const namedMax = 5;

/**
 * Resolves when no replica is missing, twice in a row: a broker that has just ended still counts for a moment.
 * @throws Error with the missing replicas after the time limit.
 */
export async function waitForReplicas(
  sources: ReplicaSources,
  options: { readonly limitMs: number; readonly everyMs: number; readonly report: (line: string) => void },
): Promise<void> {
  const startMs = performance.now();
  let [good, shown] = [0, ""];
  for (;;) {
    const missing = await missingReplicas(sources);
    good = missing === "" ? good + 1 : 0;
    if (good === 2) return;
    if (missing !== "" && missing !== shown) options.report(`waiting: ${missing}`);
    shown = missing;
    if (performance.now() - startMs > options.limitMs)
      throw new Error(missing || "the time limit has passed");
    await delay(options.everyMs);
  }
}

async function missingReplicas({ partitions, members }: ReplicaSources): Promise<string> {
  const [kafka, mongo] = await Promise.allSettled([partitions(), members()]);
  const found = [
    describe(kafka, "partitions are under-replicated", "no broker answers"),
    describe(mongo, "members of the replica set are not ready", "MongoDB does not answer"),
  ];
  return found.filter((text) => text !== "").join("; ");
}

function describe(
  outcome: PromiseSettledResult<readonly string[]>,
  what: string,
  unavailable: string,
): string {
  if (outcome.status === "rejected") return unavailable;
  if (outcome.value.length === 0) return "";
  const more = outcome.value.length > namedMax ? ", …" : "";
  return `${outcome.value.length} ${what} (${outcome.value.slice(0, namedMax).join(", ")}${more})`;
}
