import { clockStepShare } from "../limits.ts";
import { hashOf } from "./random.ts";

/** The faults that a run can have. */
export const faultKinds = ["leader", "sink", "spark", "aggregator", "clock"] as const;

export type FaultKind = (typeof faultKinds)[number];

/** One fault. Times are ms of simulated time; whole seconds. */
export type Fault = {
  readonly kind: FaultKind;
  readonly sinceMs: number;
  readonly toMs: number;
  /** The broker (leader, clock) or the sink task (sink) that is affected. */
  readonly place: number;
};

/** The faults of a run, and their effect on appends. Pure: a reading can be recomputed at any time. */
export type FaultPlan = {
  readonly faults: readonly Fault[];
  readonly brokers: number;
  /** The time at which a message that is sent at `ms` is appended: later while the partition has no leader. */
  appendMs(partition: number, ms: number, spread: number): number;
  /** Whether the acknowledgement of an append at `ms` is lost, so that the client sends the reading again. */
  isUnacknowledged(partition: number, ms: number): boolean;
  /** How far the clock of the partition's broker is off, in ms. */
  clockOffMs(partition: number, ms: number): number;
  /** The fault of this kind at `ms`. */
  active(kind: FaultKind, ms: number): Fault | undefined;
};

/** Where in an hour each fault begins, and how long it lasts, in seconds. */
const timetable = {
  leader: { at: 0.08, seconds: 30 },
  sink: { at: 0.22, seconds: 180 },
  spark: { at: 0.42, seconds: 90 },
  aggregator: { at: 0.58, seconds: 20 },
  clock: { at: 0.7, seconds: 120 },
} as const satisfies Record<FaultKind, { readonly at: number; readonly seconds: number }>;

const hourMs = 3_600_000;
/** A fault takes at most this part of its cycle, so that short runs recover too. */
const cycleShareMax = 0.06;
/** Appends of the last moments before a leader is lost may not be acknowledged. */
const unacknowledgedMs = 2000;
/** Waiting messages are appended within this time once there is a leader again. */
const backlogMs = 5000;

/** Plans one fault of each kind an hour, at times that the seed decides. Partition p is led by broker p modulo `brokers`. */
export function planFaults(options: {
  readonly kinds: readonly FaultKind[];
  readonly seed: number;
  readonly brokers: number;
  readonly sinkTasks: number;
  readonly sinceMs: number;
  readonly toMs: number;
}): FaultPlan {
  const { kinds, seed, brokers, sinkTasks, sinceMs, toMs } = options;
  const cycleMs = Math.min(hourMs, toMs - sinceMs);
  const faults: Fault[] = [];
  for (let cycle = 0; sinceMs + (cycle + 1) * cycleMs <= toMs; cycle++) {
    for (const kind of kinds) {
      const { at, seconds } = timetable[kind];
      const random = hashOf(seed + cycle * 31, faultKinds.indexOf(kind));
      const jitter = (random % 1000) / 20_000;
      const startMs = wholeSeconds(sinceMs + (cycle + at + jitter) * cycleMs);
      const lastsMs = Math.max(wholeSeconds(Math.min(seconds * 1000, cycleMs * cycleShareMax)), 3000);
      const place = (random >>> 12) % (kind === "sink" ? sinkTasks : brokers);
      faults.push({ kind, sinceMs: startMs, toMs: startMs + lastsMs, place });
    }
  }
  faults.sort((a, b) => a.sinceMs - b.sinceMs);
  const outages = faults.filter(({ kind }) => kind === "leader");
  const steps = faults.filter(({ kind }) => kind === "clock");

  function outageOf(partition: number, ms: number): Fault | undefined {
    for (const outage of outages) {
      if (ms < outage.toMs && ms >= outage.sinceMs && partition % brokers === outage.place) return outage;
    }
    return undefined;
  }

  return {
    faults,
    brokers,
    appendMs(partition, ms, spread) {
      if (outages.length === 0) return ms;
      const outage = outageOf(partition, ms);
      return outage ? outage.toMs + (spread % backlogMs) : ms;
    },
    isUnacknowledged: (partition, ms) =>
      outages.length > 0 &&
      outageOf(partition, ms) === undefined &&
      outageOf(partition, ms + unacknowledgedMs) !== undefined,
    clockOffMs(partition, ms) {
      for (const step of steps) {
        if (ms < step.toMs && ms >= step.sinceMs && partition % brokers === step.place) {
          return -wholeSeconds((step.toMs - step.sinceMs) / clockStepShare);
        }
      }
      return 0;
    },
    active: (kind, ms) =>
      faults.find((fault) => fault.kind === kind && ms >= fault.sinceMs && ms < fault.toMs),
  };
}

function wholeSeconds(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}
