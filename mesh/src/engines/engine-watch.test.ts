import type { EngineName, EngineStatus } from "@devicemesh/engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { watchEngines } from "./engine-watch.ts";

type State = EngineStatus["state"];

/** Engines in memory: `start` makes one ready once all its dependencies are ready. */
function memoryEngines(
  states: Partial<Record<EngineName, State>>,
  needs: Partial<Record<EngineName, EngineName>>,
) {
  const state = new Map(Object.entries(states) as [EngineName, State][]);
  const killed: EngineName[] = [];
  return {
    killed,
    state,
    status: async () =>
      [...state].map(([name, each]): EngineStatus => ({ name, state: each, address: "", logFile: "" })),
    async start(name: EngineName) {
      state.set(name, "unready");
      const need = needs[name];
      if (need !== undefined) {
        await waitUntil(() => state.get(need) === "ready", { what: `${name} waits for ${need}` });
      }
      state.set(name, "ready");
    },
    async kill(name: EngineName) {
      killed.push(name);
      state.set(name, "stopped");
    },
  };
}

const allReady = (engines: ReturnType<typeof memoryEngines>) =>
  waitUntil(() => [...engines.state.values()].every((each) => each === "ready"), { what: "all are ready" });

describe("the watch of the engines", () => {
  it("restarts every dead engine, also those that depend on another dead one", async () => {
    // The worker comes first: it is ready only after the master.
    const engines = memoryEngines(
      { "spark-worker-1": "dead", "spark-master": "dead", "kafka-1": "ready" },
      { "spark-worker-1": "spark-master" },
    );
    await using _watch = watchEngines(engines, () => {}, { intervalMs: 1, unreadyLimitMs: 60_000 });
    await allReady(engines);
    expect(engines.killed).toEqual([]);
  });

  it("kills and restarts a part of Spark that runs and does not become ready", async () => {
    const engines = memoryEngines({ spark: "unready" }, {});
    const reported: string[] = [];
    await using _watch = watchEngines(engines, (line) => reported.push(line), {
      intervalMs: 1,
      unreadyLimitMs: 20,
    });
    await allReady(engines);
    expect(engines.killed).toEqual(["spark"]);
    expect(reported[0]).toMatch(/^spark is not ready .*starting it again$/);
  });

  it("does not restart a broker or a database that is recovering", async () => {
    const engines = memoryEngines({ "kafka-1": "unready", mongo: "unready", connect: "dead" }, {});
    await using _watch = watchEngines(engines, () => {}, { intervalMs: 1, unreadyLimitMs: 1 });
    await waitUntil(() => engines.state.get("connect") === "ready");
    expect(engines.killed).toEqual([]);
    expect(engines.state.get("kafka-1")).toBe("unready");
  });

  it("continues after an engine that could not be started", async () => {
    const engines = memoryEngines({ connect: "dead" }, {});
    let starts = 0;
    const reported: string[] = [];
    await using _watch = watchEngines(
      {
        ...engines,
        async start(name) {
          starts += 1;
          if (starts === 1) throw new Error("no memory");
          return engines.start(name);
        },
      },
      (line) => reported.push(line),
      { intervalMs: 1, unreadyLimitMs: 60_000 },
    );
    await allReady(engines);
    expect(reported).toContain("no memory");
  });
});
