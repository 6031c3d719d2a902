import { builtInSensors, type DeviceMessage } from "@devicemesh/proto";
import { exactSum } from "./exact-sum.ts";
import { estimated, type OracleFill, type OracleGrid, roundSizes, startOf } from "./oracle-buckets.ts";
import { heldInto, type OracleTimeWeighted, timeWeighting } from "./oracle-time-weighted.ts";

// Nothing here is shared with planner and merge, so that the oracle can detect their errors.

/**
 * A bound with all its digits: milliseconds since 1970, and nanoseconds (0 to 999,999) beyond. The nanoseconds are
 * truncated like those of a reading's timestamp, so they do not change the answer.
 */
export type Bound = { readonly ms: number; readonly nanos: number };

/** A query of readings. A missing bound is no bound. */
export type Question = {
  readonly deviceIds: readonly string[];
  readonly sensors: readonly string[];
  readonly since?: Bound | undefined;
  readonly to?: Bound | undefined;
  /** Only readings of this span count, if the server chose the timeframe; it bounds nothing else. */
  readonly chosen?: { readonly sinceMs: number; readonly toMs: number } | undefined;
  /** The longest time for which a value holds, if time-weighted averages are requested. */
  readonly maxHoldMs?: number | undefined;
};

export type OracleGrouping = "series" | "sensor" | "device" | "all";

/** A row as the contract describes it; times in ms since 1970. */
export type OracleRow = {
  deviceId: string;
  sensor: string;
  unit: string;
  count: number;
  sum: number;
  average: number;
  minimum: number;
  maximum: number;
  minimumAtMs: number;
  maximumAtMs: number;
  firstAtMs: number;
  firstValue: number;
  lastAtMs: number;
  lastValue: number;
  standardDeviation: number;
  /** The sum of |value|: the tolerance of sum and average is relative to it. */
  magnitude: number;
  /** All values, ascending. */
  sorted: readonly number[];
  /** Undefined if it is not requested, or if no value holds in the time of the row. */
  timeWeighted?: OracleTimeWeighted | undefined;
};

export type OracleBucket = { startMs: number; endMs: number; row: OracleRow | EmptyRow };
/** A row without readings; with `estimate`, filled from its neighbours. */
export type EmptyRow = Pick<OracleRow, "deviceId" | "sensor" | "unit"> & {
  count: 0;
  estimate?: Estimate | undefined;
  timeWeighted?: OracleTimeWeighted | undefined;
};
export type Estimate = Pick<OracleRow, "average" | "minimum" | "maximum">;

/** An answer, or the rejection that the contract requires. */
export type Answer<T> = { readonly kind: "answer"; readonly value: T } | { readonly kind: "mixedUnits" };

/** Answers by brute force over accepted readings. */
export type Oracle = {
  /** Takes accepted messages in the order of the log; of one identity the first one counts. */
  accept(messages: readonly DeviceMessage[]): void;
  /** Returns the readings of a query in the order (timestamp, device_id, sensor). */
  readings(question: Question): DeviceMessage[];
  aggregates(question: Question, grouping: OracleGrouping): Answer<OracleRow[]>;
  buckets(
    question: Question,
    grouping: OracleGrouping,
    options: { readonly grid: OracleGrid; readonly fill: OracleFill },
  ): Answer<OracleBucket[]>;
  /** Returns the bucket size that the contract requires with max_points. */
  bucketFor(
    question: Question,
    options: {
      readonly maxPoints: number;
      readonly windowMs: number;
      readonly originMs?: number | undefined;
    },
  ): number;
};

const unitBySensor: Readonly<Record<string, string>> = Object.fromEntries(
  builtInSensors.map(({ sensor, unit }) => [sensor, unit]),
);

/** The range of all answers: 2000-01-01 to 10000-01-01. */
const [beginMs, endMs] = [946_684_800_000, 253_402_300_800_000];

/** Creates an oracle without readings. */
export function createOracle(): Oracle {
  const accepted = new Map<string, DeviceMessage>();

  function readings(question: Question): DeviceMessage[] {
    const { since, to, chosen } = question;
    return [...accepted.values()]
      .filter(({ deviceId }) => question.deviceIds.length === 0 || question.deviceIds.includes(deviceId))
      .filter(({ sensor }) => question.sensors.length === 0 || question.sensors.includes(sensor))
      .filter(({ timestampMs }) => since === undefined || timestampMs >= since.ms)
      .filter(({ timestampMs }) => to === undefined || timestampMs < to.ms)
      .filter(({ timestampMs: ms }) => chosen === undefined || (ms >= chosen.sinceMs && ms < chosen.toMs))
      .sort(chronologically);
  }

  function groups(question: Question, grouping: OracleGrouping): Answer<Map<string, DeviceMessage[]>> {
    const found = new Map<string, DeviceMessage[]>();
    for (const reading of readings(question)) {
      const key = JSON.stringify(groupOf(reading, grouping));
      const group = found.get(key);
      if (group) group.push(reading);
      else found.set(key, [reading]);
    }
    for (const group of found.values()) {
      if (new Set(group.map(({ sensor }) => unitBySensor[sensor])).size > 1) return { kind: "mixedUnits" };
    }
    return { kind: "answer", value: found };
  }

  /** Returns the groups of the requested devices at any time. */
  function knownGroups(question: Question, grouping: OracleGrouping): Omit<EmptyRow, "count">[] {
    if (question.deviceIds.length === 0) return [];
    const { deviceIds, sensors } = question;
    const members = Map.groupBy(readings({ deviceIds, sensors }), (reading) =>
      JSON.stringify(groupOf(reading, grouping)),
    );
    return [...members.values()].map((group) => nameOf(group, grouping));
  }

  /** Returns the time-weighted averages of a group, of a bucket or in all. `group` are its readings. */
  function weightingOf(
    question: Question,
    grouping: OracleGrouping,
    { name, group }: { readonly name: Omit<EmptyRow, "count">; readonly group: readonly DeviceMessage[] },
  ): ReturnType<typeof timeWeighting> {
    const { maxHoldMs } = question;
    if (maxHoldMs === undefined) return () => undefined;
    const held = readings(heldInto(question, maxHoldMs))
      .filter((reading) => `${groupOf(reading, grouping)}` === `${[name.deviceId, name.sensor]}`)
      .filter(({ sensor }) => unitBySensor[sensor] === name.unit);
    return timeWeighting(question, { held, group, maxHoldMs });
  }

  return {
    accept(messages) {
      for (const message of messages) {
        const identity = `${message.deviceId}|${message.sensor}|${message.timestampMs}`;
        if (!accepted.has(identity)) accepted.set(identity, message);
      }
    },
    readings,
    aggregates(question, grouping) {
      const found = groups(question, grouping);
      if (found.kind !== "answer") return found;
      const rows = [...found.value.values()].map((group): OracleRow => {
        const name = nameOf(group, grouping);
        return {
          ...rowOf(group, grouping),
          timeWeighted: weightingOf(question, grouping, { name, group })(),
        };
      });
      return { kind: "answer", value: rows.sort(byName) };
    },
    buckets(question, grouping, { grid, fill }) {
      const found = groups(question, grouping);
      if (found.kind !== "answer") return found;
      const all = [...found.value.values()].flat().sort(chronologically);
      const rows: OracleBucket[] = [];
      const filled = [...found.value.values()].map((group) => ({ group, name: nameOf(group, grouping) }));
      const names = new Set(filled.map(({ name }) => `${name.deviceId}|${name.sensor}`));
      const isBounded = question.since !== undefined && question.to !== undefined;
      // Without a bound and without readings, there is no span to fill.
      const isFilled = fill !== "none";
      const silent = isFilled && (isBounded || all.length > 0) ? knownGroups(question, grouping) : [];
      const named = [
        ...filled,
        ...silent
          .filter(({ deviceId, sensor }) => !names.has(`${deviceId}|${sensor}`))
          .map((name) => ({ group: [], name })),
      ];
      for (const { group, name } of named.sort((a, b) => byName(a.name, b.name))) {
        const byStart = new Map<number, DeviceMessage[]>();
        if (isFilled) {
          const [firstMs, lastMs] = filledSpan(question, all);
          // Bounds within one millisecond contain none, and touch no bucket.
          for (let ms = grid.startOf(firstMs); firstMs <= lastMs && ms <= lastMs; ms = grid.nextAfter(ms))
            byStart.set(ms, []);
        }
        for (const reading of group) {
          const startMs = grid.startOf(reading.timestampMs);
          byStart.set(startMs, [...(byStart.get(startMs) ?? []), reading]);
        }
        const weighted = weightingOf(question, grouping, { name, group });
        const ofGroup: OracleBucket[] = [];
        for (const [startMs, members] of [...byStart].sort(([a], [b]) => a - b)) {
          const row = members.length > 0 ? rowOf(members, grouping) : { ...name, count: 0 as const };
          const endMs = grid.nextAfter(startMs);
          const timeWeighted = weighted({ sinceMs: startMs, toMs: endMs });
          ofGroup.push({ startMs, endMs, row: { ...row, timeWeighted } });
        }
        rows.push(...ofGroup.map((bucket) => ({ ...bucket, row: estimated(bucket, ofGroup, fill) })));
      }
      return { kind: "answer", value: rows };
    },
    bucketFor(question, { maxPoints, windowMs, originMs }) {
      const found = readings(question);
      if (found.length === 0 && (question.since === undefined || question.to === undefined)) return windowMs;
      const [firstMs, lastMs] = filledSpan(question, found);
      const size = roundSizes.find(
        (sizeMs) =>
          sizeMs % windowMs === 0 &&
          (startOf(lastMs, sizeMs, originMs) - startOf(firstMs, sizeMs, originMs)) / sizeMs + 1 <= maxPoints,
      );
      if (size === undefined) throw new Error("no bucket size is large enough");
      return size;
    },
  };
}

/** Returns the first and the last millisecond of a timeframe; without a bound, those of the readings. */
function filledSpan(question: Question, found: readonly DeviceMessage[]): [number, number] {
  const { since, to } = question;
  const firstMs = since === undefined ? (found.at(0)?.timestampMs ?? 0) : since.ms;
  const lastMs = to === undefined ? (found.at(-1)?.timestampMs ?? 0) : to.ms - 1;
  return [Math.max(firstMs, beginMs), Math.min(lastMs, endMs - 1)];
}

function chronologically(a: DeviceMessage, b: DeviceMessage): number {
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  return byName(a, b);
}

function byName(
  a: { readonly deviceId: string; readonly sensor: string },
  b: { readonly deviceId: string; readonly sensor: string },
): number {
  if (a.deviceId !== b.deviceId) return a.deviceId < b.deviceId ? -1 : 1;
  return a.sensor === b.sensor ? 0 : a.sensor < b.sensor ? -1 : 1;
}

function groupOf({ deviceId, sensor }: DeviceMessage, grouping: OracleGrouping): [string, string] {
  if (grouping === "series") return [deviceId, sensor];
  if (grouping === "device") return [deviceId, ""];
  return grouping === "sensor" ? ["", sensor] : ["", ""];
}

/** Returns the name of the group of at least one reading; its unit is empty if they have several. */
function nameOf(readings: readonly DeviceMessage[], grouping: OracleGrouping): Omit<EmptyRow, "count"> {
  const units = new Set(readings.map(({ sensor }) => unitBySensor[sensor] ?? ""));
  const [deviceId, sensor] = groupOf(readings[0] as DeviceMessage, grouping);
  return { deviceId, sensor, unit: units.size === 1 ? ([...units][0] as string) : "" };
}

/** Adds up at least one reading, in the order of time, device and sensor. */
function rowOf(readings: readonly DeviceMessage[], grouping: OracleGrouping): OracleRow {
  const values = readings.map(({ value }) => value);
  const [minimum, maximum] = [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  const [first] = readings as [DeviceMessage];
  const lastAtMs = (readings.at(-1) as DeviceMessage).timestampMs;
  const last = readings.find(({ timestampMs }) => timestampMs === lastAtMs) as DeviceMessage;
  const sum = exactSum(values);
  const average = sum / values.length;
  const variance = exactSum(values.map((value) => (value - average) ** 2)) / values.length;
  const [deviceId, sensor] = groupOf(first, grouping);
  return {
    deviceId,
    sensor,
    unit: unitBySensor[first.sensor] ?? "",
    count: values.length,
    sum,
    average,
    minimum,
    maximum,
    minimumAtMs: (readings.find(({ value }) => value === minimum) as DeviceMessage).timestampMs,
    maximumAtMs: (readings.find(({ value }) => value === maximum) as DeviceMessage).timestampMs,
    firstAtMs: first.timestampMs,
    firstValue: first.value,
    lastAtMs,
    lastValue: last.value,
    standardDeviation: Math.sqrt(variance),
    magnitude: exactSum(values.map(Math.abs)),
    sorted: values.toSorted((a, b) => a - b),
  };
}
