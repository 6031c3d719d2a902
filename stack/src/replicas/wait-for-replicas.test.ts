import { describe, expect, it } from "vitest";
import { underReplicated } from "./kafka-replicas.ts";
import { isReady } from "./mongo-members.ts";
import { waitForReplicas } from "./wait-for-replicas.ts";

/** Returns these results one after the other, the last one repeatedly. */
function answers(...given: readonly (readonly string[] | Error)[]) {
  let place = 0;
  return async () => {
    const answer = given[Math.min(place++, given.length - 1)] ?? [];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

describe("waiting for replicas", () => {
  const options = (printed: string[], limitMs = 5000) => ({
    limitMs,
    everyMs: 1,
    report: (line: string) => void printed.push(line),
  });

  it("ends when no replica is missing, and reports those that were", async () => {
    const printed: string[] = [];
    const partitions = answers(new Error("no connection"), ["a/0", "b/1"], []);
    await waitForReplicas({ partitions, members: answers(["mongo-2:27017"], []) }, options(printed));
    expect(printed).toEqual([
      "waiting: no broker answers; 1 members of the replica set are not ready (mongo-2:27017)",
      "waiting: 2 partitions are under-replicated (a/0, b/1)",
    ]);
  });

  it("requires more than one good result", async () => {
    const printed: string[] = [];
    await waitForReplicas({ partitions: answers([], ["a/0"], []), members: answers([]) }, options(printed));
    expect(printed).toEqual(["waiting: 1 partitions are under-replicated (a/0)"]);
  });

  it("fails at its time limit with the missing replicas", async () => {
    const sources = { partitions: answers(["a/0"]), members: answers([]) };
    await expect(waitForReplicas(sources, options([], 20))).rejects.toThrow("(a/0)");
  });
});

describe("a missing replica", () => {
  it("is a partition with fewer in sync than it has", () => {
    const partition = (partitionId: number, isr: readonly number[]) => ({
      partitionId,
      replicas: [1, 2, 3],
      isr,
    });
    const partitions = [partition(0, [1, 2, 3]), partition(1, [1, 3])];
    expect(underReplicated([{ name: "a", partitions }])).toEqual(["a/1"]);
  });

  it("is a member that is neither primary nor secondary", () => {
    expect(isReady({ isWritablePrimary: true })).toBe(true);
    expect(isReady({ isWritablePrimary: false, secondary: true })).toBe(true);
    expect(isReady({ isWritablePrimary: false })).toBe(false);
  });
});
