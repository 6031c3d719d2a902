import { alignDown, defaultLevels, type Level } from "@devicemesh/proto";
import { createLagRecord, type LagFigures } from "./engines/lag-record.ts";
import { createMesh, type SimulatedMesh, sinkTasksOf, type Tampering } from "./engines/mesh.ts";
import { type Census, takeCensus } from "./fleet/census.ts";
import { type FaultKind, type FaultPlan, planFaults } from "./fleet/fault-plan.ts";
import { createFleet, type FleetConfig } from "./fleet/fleet.ts";
import { chooseSamples } from "./fleet/samples.ts";
import { askAllEvery, brokersMin, drainMaxMs, partitionsPerBroker, stepMs } from "./limits.ts";
import { createQuestioner, type QuestionCounts, type Questioner } from "./questions/questioner.ts";

/** What a run does. */
export type SimulationConfig = FleetConfig & {
  readonly faults: readonly FaultKind[];
  readonly questionsPerHour: number;
};

/** The result of a run. */
export type Simulation = {
  readonly config: SimulationConfig;
  readonly levels: readonly Level[];
  readonly plan: FaultPlan;
  readonly census: Census;
  readonly sampled: {
    readonly devices: number;
    /** Partials of the sampled devices by level, as counted from their messages and as found in the database. */
    readonly counted: readonly number[];
    readonly stored: readonly number[];
    readonly dropped: number;
  };
  readonly lags: readonly LagFigures[];
  readonly questions: QuestionCounts;
  /** What the window job dropped because of a clock, the windows that were marked for it, and all repairs. */
  readonly dropped: number;
  readonly lateWindows: number;
  readonly repairs: number;
  /** Whether every level reached the end of the run. */
  readonly isFolded: boolean;
};

/** Runs a simulation. `onProgress` receives lines of text. */
export async function simulate(
  config: SimulationConfig,
  options: {
    readonly tampering?: Tampering | undefined;
    readonly onProgress?: ((line: string) => void) | undefined;
  } = {},
): Promise<Simulation> {
  const { tampering, onProgress = () => {} } = options;
  const levels = defaultLevels;
  const { partitions, seed, sinceMs, toMs, devices } = config;
  const brokers = Math.max(Math.ceil(partitions / partitionsPerBroker), brokersMin);
  const sinkTasks = sinkTasksOf(partitions);
  const plan = planFaults({ kinds: config.faults, seed, brokers, sinkTasks, sinceMs, toMs });
  const fleet = createFleet(config, plan);
  const tenth = createTenths(onProgress);
  const census = takeCensus(fleet, {
    levels,
    onProgress: (done) => tenth("devices counted", done, devices),
  });
  const samples = chooseSamples(fleet);
  const steps = Math.ceil((toMs - sinceMs + drainMaxMs) / stepMs);
  const mesh = await createMesh({ fleet, census, samples, steps, levels, tampering });
  const questioner = createQuestioner({ fleet, mesh, samples, levels, tampering });
  const lags = createLagRecord(plan);
  const isFolded = await run({ config, levels, steps, mesh, questioner, lags, tenth });
  questioner.askAll({ sinceMs: sinceMs - 86_400_000, toMs: toMs + 86_400_000 });

  return {
    config,
    levels,
    plan,
    census,
    sampled: {
      devices: samples.length,
      counted: takeCensus(fleet, { levels, devices: samples }).documents,
      stored: storedPartials(mesh, levels, toMs),
      dropped: mesh.droppedSamples,
    },
    lags: lags.figures(),
    questions: questioner.counts,
    dropped: mesh.dropped,
    lateWindows: mesh.database.lateWindows,
    repairs: mesh.database.repairs,
    isFolded,
  };
}

/** Runs to the end and then until every level is folded; returns whether that was so. */
async function run(parts: {
  readonly config: SimulationConfig;
  readonly levels: readonly Level[];
  readonly steps: number;
  readonly mesh: SimulatedMesh;
  readonly questioner: Questioner;
  readonly lags: ReturnType<typeof createLagRecord>;
  readonly tenth: ReturnType<typeof createTenths>;
}): Promise<boolean> {
  const { config, levels, steps, mesh, questioner, lags, tenth } = parts;
  const { sinceMs, toMs } = config;
  const every = 3_600_000 / stepMs / config.questionsPerHour;
  const isFolded = (): boolean =>
    levels.every(({ segmentMs }, level) => {
      const reached = mesh.database.published.frontiersMs[level] ?? 0;
      const endMs = alignDown(toMs, segmentMs);
      return reached >= endMs || endMs <= sinceMs;
    });
  let asked = 0;
  for (let step = 1; step <= steps && (mesh.nowMs < toMs || !isFolded()); step++) {
    await mesh.step();
    questioner.observe();
    const frontierMs = mesh.database.published.frontiersMs[0] as number;
    if (frontierMs > 0 && mesh.nowMs <= toMs) lags.add(mesh.nowMs, frontierMs);
    for (; asked < step / every; asked++) {
      if (asked % askAllEvery === askAllEvery - 1) questioner.askAll();
      else questioner.askOne();
    }
    tenth("simulated seconds", Math.min(mesh.nowMs, toMs) - sinceMs, toMs - sinceMs, 1000);
  }
  return isFolded();
}

/** The partials of the sampled devices whose segments ended before the end of the run. */
function storedPartials(mesh: SimulatedMesh, levels: readonly Level[], toMs: number): readonly number[] {
  return levels.map(({ segmentMs }, level) => {
    let count = 0;
    for (const store of mesh.database.devices.values()) {
      for (const partial of store.levels[level]?.values() ?? []) {
        if (partial.segmentMs + segmentMs <= alignDown(toMs, segmentMs)) count++;
      }
    }
    return count;
  });
}

/** Reports every tenth of a whole, once. */
function createTenths(onProgress: (line: string) => void) {
  const reached = new Map<string, number>();
  return (what: string, done: number, all: number, unit = 1): void => {
    const tenths = Math.floor((10 * done) / all);
    if (tenths <= (reached.get(what) ?? 0)) return;
    reached.set(what, tenths);
    const [some, whole] = [done, all].map((count) => Math.round(count / unit).toLocaleString("en"));
    onProgress(`${some} of ${whole} ${what}`);
  };
}
