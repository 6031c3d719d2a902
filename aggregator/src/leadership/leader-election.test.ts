import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startElection } from "./leader-election.ts";
import type { Lease } from "./lease.ts";

/** A lease for two candidates: the test chooses the holder. */
function createLeases() {
  const state = { holder: "", isUnavailable: false };
  const leaseOf = (name: string): Lease => ({
    async take() {
      if (state.isUnavailable) throw new Error("unavailable");
      if (state.holder === "") state.holder = name;
      return { isHeld: state.holder === name, holder: state.holder };
    },
    async release() {
      if (state.holder === name) state.holder = "";
    },
  });
  return { state, leaseOf };
}

function candidate(lease: Lease, failures: unknown[] = []) {
  const counts = { started: 0, stopped: 0, startFails: false };
  const election = startElection({
    lease,
    intervalMs: 5,
    async start() {
      if (counts.startFails) throw new Error("cannot start");
      counts.started++;
      return {
        async [Symbol.asyncDispose]() {
          counts.stopped++;
        },
      };
    },
    onFailure: (error) => failures.push(error),
  });
  return { election, counts };
}

describe("startElection", () => {
  it("starts one of two, and the other when the first releases the lease", async () => {
    const { leaseOf } = createLeases();
    const a = candidate(leaseOf("a"));
    await waitUntil(() => a.election.active !== undefined);
    const b = candidate(leaseOf("b"));
    await waitUntil(() => b.election.holder === "a");
    expect(b.election.active).toBeUndefined();
    await a.election[Symbol.asyncDispose]();
    await a.election[Symbol.asyncDispose]();
    expect(a.counts).toMatchObject({ started: 1, stopped: 1 });
    await waitUntil(() => b.election.active !== undefined);
    await b.election[Symbol.asyncDispose]();
    expect(b.counts).toMatchObject({ started: 1, stopped: 1 });
  });

  it("stops when another has the lease", async () => {
    const { state, leaseOf } = createLeases();
    const a = candidate(leaseOf("a"));
    await waitUntil(() => a.election.active !== undefined);
    state.holder = "b";
    await waitUntil(() => a.counts.stopped === 1);
    expect(a.election.active).toBeUndefined();
    expect(a.election.holder).toBe("b");
    await a.election[Symbol.asyncDispose]();
  });

  it("continues while the database is unavailable, because no other candidate can take the lease", async () => {
    const { state, leaseOf } = createLeases();
    const failures: unknown[] = [];
    const a = candidate(leaseOf("a"), failures);
    await waitUntil(() => a.election.active !== undefined);
    state.isUnavailable = true;
    await waitUntil(() => failures.length > 1);
    expect(a.election.active).toBeDefined();
    state.isUnavailable = false;
    await a.election[Symbol.asyncDispose]();
  });

  it("releases the lease if it cannot start", async () => {
    const { state, leaseOf } = createLeases();
    const failures: unknown[] = [];
    const a = candidate(leaseOf("a"), failures);
    a.counts.startFails = true;
    await waitUntil(() => failures.length > 0);
    expect(state.holder).toBe("");
    a.counts.startFails = false;
    await waitUntil(() => a.election.active !== undefined);
    await a.election[Symbol.asyncDispose]();
  });
});
