import type { PartitionOffsets } from "@devicemesh/aggregator/log/log-access";
import type { Level } from "@devicemesh/proto";
import type { Census } from "../fleet/census.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { createRandom } from "../fleet/random.ts";
import {
  batchIntervalMs,
  batchSecondsMax,
  headroom,
  partitionsPerSinkTask,
  sinkCommitMs,
  sinkTasksMin,
  stepMs,
} from "../limits.ts";
import { checkpoint, type SimulatedAggregator, startAggregator } from "./aggregator.ts";
import { createConsumer } from "./consumer.ts";
import { createDatabase, type SimulatedDatabase } from "./database.ts";
import { createLog } from "./log.ts";
import type { SamplePartial } from "./partials.ts";
import { createQueue } from "./queue.ts";
import { type SampleRecord, sampleRecords } from "./sample-records.ts";
import { createWindowJob } from "./window-job.ts";

/** Changes to what the aggregator and query receive, with which a test shows that a wrong answer is found. */
export type Tampering = {
  readonly committedMessages?: ((committed: PartitionOffsets) => PartitionOffsets) | undefined;
  readonly frontiersMs?: ((frontiersMs: readonly number[]) => readonly number[]) | undefined;
};

/** The mesh in simulated time. */
export type SimulatedMesh = {
  readonly database: SimulatedDatabase;
  readonly records: readonly (readonly SampleRecord[])[];
  /** Moves on by one step. */
  step(): Promise<void>;
  readonly nowMs: number;
  /** By partition: the offset before which the sink has stored or rejected every message. */
  readonly stored: Float64Array;
  /** By partition: the messages before are in partials, or their windows are marked. */
  readonly checked: PartitionOffsets;
  readonly dropped: number;
  readonly droppedSamples: number;
};

/** The number of tasks of the sink. */
export function sinkTasksOf(partitions: number): number {
  return Math.min(Math.max(Math.ceil(partitions / partitionsPerSinkTask), sinkTasksMin), partitions);
}

/** Creates a mesh at the start of the run. `steps` is how far it can run at most. */
export async function createMesh(options: {
  readonly fleet: Fleet;
  readonly census: Census;
  readonly samples: readonly number[];
  readonly steps: number;
  readonly levels: readonly Level[];
  readonly tampering?: Tampering | undefined;
}): Promise<SimulatedMesh> {
  const { fleet, census, samples, steps, levels, tampering = {} } = options;
  const { partitions, seed, sinceMs, toMs } = fleet.config;
  const { plan } = fleet;
  const records = sampleRecords(fleet, samples);
  const log = createLog({ fleet, census, samples: records, steps });
  const settings = { levels, partitions };
  const database = createDatabase(settings, samples.map(fleet.deviceId));
  const random = createRandom(seed + 7);
  const tasks = sinkTasksOf(partitions);
  const sink = createConsumer(log, tasks);
  const deadLetters = createQueue<SampleRecord>();
  const partials = createQueue<SamplePartial>();
  // The mean load a second, with the tick of each partition.
  const messages = census.totals.readings + census.totals.duplicates;
  const perSecond = (messages * 1000) / (toMs - sinceMs) + partitions;
  const rowsPerSecond = headroom * perSecond;
  const job = createWindowJob({
    log,
    census,
    level: levels[0] as Level,
    sinceMs,
    rowsPerSecond,
    rowsMaxPerPartition: Math.ceil((perSecond / partitions) * batchSecondsMax),
    intervalMs: batchIntervalMs,
    topic: partials,
  });
  await database.rememberCheckpoint(checkpoint, async () => ({ sinceMs: 0, startingOffsets: log.ends() }));

  const places = (windows: number, letters: number) => ({
    windows: new Map([["windows/0", windows]]),
    deadLetters: new Map([["dead letters/0", letters]]),
  });
  const offsets = {
    committedMessages: async () => tampering.committedMessages?.(sink.committed()) ?? sink.committed(),
    messageEnds: async () => log.ends(),
    messageOffsetsAt: async (ms: number) => log.offsetsAt(ms),
    ends: async () => places(partials.end, deadLetters.end),
    committed: async () => places(partials.committed, deadLetters.committed),
  };
  let aggregator: SimulatedAggregator | undefined;
  let wasSparkDown = false;
  let fillersRejected = 0;

  function store(nowMs: number): void {
    const pause = plan.active("sink", nowMs);
    const perTask = (rowsPerSecond / tasks) * (stepMs / 1000);
    sink.read({
      perTask,
      isPaused: (task) => task === pause?.place,
      each: (record) => {
        if (!database.insert(record)) deadLetters.append(record);
      },
    });
    // The share of the others that are rejected is that of the whole run.
    const rejected = (sum(sink.handled) * census.totals.duplicates) / Math.max(messages, 1);
    deadLetters.fill(Math.max(Math.floor(rejected) - fillersRejected, 0));
    fillersRejected = Math.max(fillersRejected, Math.floor(rejected));
    if (random.next() < 0.01) sink.restart(random.between(0, tasks - 1));
    else if (nowMs % sinkCommitMs === 0) sink.commit();
  }

  function readTopics(): void {
    partials.read(rowsPerSecond, (partial) => database.replace(0, partial));
    if (random.next() < 0.01) partials.restart();
    else partials.commit();
    deadLetters.read(rowsPerSecond, database.markRejected);
    if (random.next() < 0.01) deadLetters.restart();
    else deadLetters.commit();
  }

  function runJob(nowMs: number): void {
    const isDown = plan.active("spark", nowMs) !== undefined;
    if (isDown && !wasSparkDown) job.fail(random.next() < 0.5);
    wasSparkDown = isDown;
    const batch = isDown ? undefined : job.step(nowMs);
    if (batch) aggregator?.addBatch(batch);
  }

  return {
    database,
    records,
    async step() {
      const isVacant = plan.active("aggregator", log.nowMs) !== undefined;
      if (isVacant) aggregator = undefined;
      else aggregator ??= await startAggregator({ settings, database, log, offsets, clock: () => log.nowMs });
      const round = log.append(aggregator !== undefined);
      const { nowMs } = log;
      store(nowMs);
      runJob(nowMs);
      readTopics();
      await aggregator?.step(round);
    },
    get nowMs() {
      return log.nowMs;
    },
    stored: sink.handled,
    get checked() {
      return aggregator?.progress.checks?.checked ?? new Map();
    },
    get dropped() {
      return job.dropped;
    },
    get droppedSamples() {
      return job.droppedSamples;
    },
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
