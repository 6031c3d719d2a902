import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { defaultLevels, type Level } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { sinkTasksOf } from "./engines/mesh.ts";
import { planFaults } from "./fleet/fault-plan.ts";
import { reportOf } from "./report/report.ts";
import { simulateSettings } from "./settings.ts";
import { type SimulationConfig, simulate } from "./simulation.ts";
import { configOf, runSimulation } from "./start.ts";

const small = [
  ["--devices", "200"],
  ["--partitions", "3"],
  ["--hours", "0.3334"],
  ["--hot-every", "20"],
  ["--questions", "3000"],
];

// A run takes a second or two of CPU; on a busy machine it may have to wait for it.
const timeout = 300_000;

/** The flags of the small run, each of which `flags` may replace. */
function argumentsOf(flags: readonly string[]): readonly string[] {
  return [...small.filter(([name = ""]) => !flags.includes(name)).flat(), ...flags];
}

function configuration(...flags: readonly string[]): SimulationConfig {
  const loaded = loadSettings(simulateSettings, { args: argumentsOf(flags), env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  return configOf(loaded.values);
}

describe("a run with every fault", { timeout }, () => {
  it("answers like brute force, from every source, in the sizes that the model predicts", async () => {
    const simulation = await simulate(configuration("--late", "0.05", "--duplicates", "0.02"));
    expect(reportOf(simulation).problems).toEqual([]);
    const { questions, lags } = simulation;
    expect(questions.different).toBe(0);
    // Without answers from every source, and without an effect of the faults, the run would prove nothing.
    for (const count of [...questions.fromLevels, questions.fromRaw, questions.fromRepairs]) {
      expect(count).toBeGreaterThan(100);
    }
    expect(simulation.dropped).toBeGreaterThan(0);
    expect(simulation.lateWindows).toBeGreaterThan(0);
    expect(simulation.repairs).toBeGreaterThan(20);
    expect(lags.map(({ during }) => during)).toEqual(
      expect.arrayContaining(["no fault", "leader", "sink", "spark", "aggregator", "clock"]),
    );
    const longest = (kind: string): number => lags.find(({ during }) => during === kind)?.maximumMs ?? 0;
    expect(longest("sink")).toBeGreaterThan(2 * longest("no fault"));
  });

  it("is the same for the same seed, and different for another seed", async () => {
    const short = ["--hours", "0.1"];
    const text = async (seed: string): Promise<string> =>
      reportOf(await simulate(configuration(...short, "--seed", seed))).text;
    expect(await text("5")).toBe(await text("5"));
    expect(await text("5")).not.toBe(await text("6"));
  });
});

describe("the simulation detects", { timeout }, () => {
  const [{ segmentMs }] = defaultLevels as [Level];

  async function differences(tampering: Parameters<typeof simulate>[1] & {}): Promise<number> {
    const simulation = await simulate(configuration("--faults", "none"), tampering);
    const { problems } = reportOf(simulation);
    expect(problems.length).toBeGreaterThan(0);
    return simulation.questions.different;
  }

  it("a frontier that is one segment too far", async () => {
    const frontiersMs = ([first = 0, ...coarser]: readonly number[]) => [
      first && first + segmentMs,
      ...coarser,
    ];
    expect(await differences({ tampering: { frontiersMs } })).toBeGreaterThan(0);
  });

  it("a frontier of the second level that is one segment too far", async () => {
    const ahead = (defaultLevels[1] as Level).segmentMs;
    const frontiersMs = ([first = 0, second = 0, third = 0]: readonly number[]) => [
      first,
      Math.min(second && second + ahead, first),
      third,
    ];
    expect(await differences({ tampering: { frontiersMs } })).toBeGreaterThan(0);
  });

  it("a partition that the aggregator forgets", async () => {
    const config = configuration("--faults", "sink");
    // Each task of the sink has one partition: the one of the task that stops.
    const sinkTasks = sinkTasksOf(config.partitions);
    expect(sinkTasks).toBe(config.partitions);
    const [fault] = planFaults({ ...config, kinds: config.faults, brokers: 3, sinkTasks }).faults;
    const stalled = fault?.place as number;
    const committedMessages = (committed: ReadonlyMap<number, number>) =>
      new Map([...committed, [stalled, Number.POSITIVE_INFINITY]]);
    const simulation = await simulate(config, { tampering: { committedMessages } });
    expect(simulation.questions.different).toBeGreaterThan(0);
    expect((await simulate(config)).questions.different).toBe(0);
  });
});

describe("the command", { timeout }, () => {
  it("ends with 0 if nothing differs, and prints progress and the report", async () => {
    const loaded = loadSettings(simulateSettings, { args: argumentsOf(["--hours", "0.1"]), env: {} });
    if (loaded.kind !== "settings") throw new Error(loaded.text);
    const lines: string[] = [];
    expect(await runSimulation(loaded.values, (text) => lines.push(text))).toBe(0);
    const text = lines.join("");
    expect(text).toContain("simulated seconds");
    expect(text).toMatch(/\| different from brute force +\| +0 \|/);
  });

  it.each([
    ["--faults", "flood"],
    ["--devices", "1.5"],
  ])("rejects %s %s", (flag, value) => {
    expect(() => configuration(flag, value)).toThrow(flag);
  });
});
