import type { Level } from "@devicemesh/proto";
import { constants } from "./constants.ts";
import { partialsOfInnerWindow } from "./document-sizes.ts";

/** What a fleet needs, and how sure that is. */
export type Need = {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Whether the number rests on an assumption, and not only on what was measured or counted here. */
  readonly isExtrapolated: boolean;
};

/** The fleet of the model, and how long data is kept. */
export type CapacityRequest = {
  readonly devices: number;
  readonly intervalMs: number;
  readonly lateShare: number;
  readonly lateMaxMs: number;
  readonly duplicateShare: number;
  readonly keepLogDays: number;
  readonly keepRawDays: number;
  readonly keepFineDays: number;
};

const dayMs = 86_400_000;

const of = (name: keyof typeof constants): number => constants[name].value;

/** The partials of each level, the finest first, that one reading makes on average. */
export function partialsPerReading(request: CapacityRequest, levels: readonly Level[]): readonly number[] {
  const sinceMs = Date.UTC(2026, 0, 1);
  const fleet = { ...request, seed: 1, partitions: 1, hotEvery: 1, hotFactor: 1, sinceMs };
  return levels.map((level, place) => {
    const toMs = sinceMs + 2 * level.windowMs + 2 * dayMs;
    const partials = partialsOfInnerWindow({ ...fleet, toMs }, level, place === 0);
    // A device that sends more rarely has no reading in most windows.
    return (partials * request.intervalMs) / level.windowMs;
  });
}

/**
 * Returns what a fleet needs of each part, from its `partialsPerReading`. Counts of machines and tasks are rounded up.
 */
export function needsOf(request: CapacityRequest, perReading: readonly number[]): readonly Need[] {
  const readings = (request.devices * 1000) / request.intervalMs;
  const [fine = 0, ...coarse] = perReading.map((share) => share * readings);
  const coarser = coarse.reduce((sum, each) => sum + each, 0);
  const replicas = of("replicas");
  const logBytes = readings * of("logBytes") + fine * of("partialLogBytes");
  const daySeconds = dayMs / 1000;
  const kept =
    request.keepRawDays * daySeconds * readings * of("readingBytes") +
    request.keepFineDays * daySeconds * fine * of("partialBytes");
  const inserts = readings + fine + coarser;
  const measured = { isExtrapolated: false };
  const guessed = { isExtrapolated: true };
  return [
    {
      part: "ingest",
      what: "busy cores",
      value: (readings * of("ingestCpuMicros")) / 1e6,
      unit: "",
      ...measured,
    },
    {
      part: "ingest",
      what: "replicas",
      value: Math.ceil((readings * of("ingestCpuMicros")) / 1e6 / of("busy")),
      unit: "",
      ...guessed,
    },
    {
      part: "ingest",
      what: "network, in",
      value: (readings * of("requestBytes")) / 1e6,
      unit: "MB/s",
      ...measured,
    },
    {
      part: "ingest",
      what: "network, to Kafka",
      value: (readings * of("logBytes")) / 1e6,
      unit: "MB/s",
      ...measured,
    },
    { part: "Kafka", what: "partitions", value: partitionsOf(readings), unit: "", ...guessed },
    {
      part: "Kafka",
      what: "written, all replicas",
      value: (logBytes * replicas) / 1e6,
      unit: "MB/s",
      ...measured,
    },
    {
      part: "Kafka",
      what: "network, out: replicas and readers",
      value: (logBytes * (replicas - 1) + 2 * readings * of("logBytes") + fine * of("partialLogBytes")) / 1e6,
      unit: "MB/s",
      ...measured,
    },
    {
      part: "Kafka",
      what: `disk for ${request.keepLogDays} days, all replicas`,
      value: (logBytes * replicas * request.keepLogDays * daySeconds) / 1e12,
      unit: "TB",
      ...measured,
    },
    {
      part: "Kafka",
      what: "brokers",
      value: Math.max(Math.ceil((logBytes * replicas) / of("brokerBytes") / of("busy")), 3),
      unit: "",
      ...guessed,
    },
    {
      part: "Kafka Connect",
      what: "sink tasks",
      value: Math.ceil((readings + fine) / of("sinkDocuments") / of("busy")),
      unit: "",
      ...guessed,
    },
    {
      part: "Spark",
      what: "busy cores",
      value: (readings * of("sparkCpuMicros")) / 1e6,
      unit: "",
      ...guessed,
    },
    {
      part: "Spark",
      what: "cores",
      value: Math.ceil((readings * of("sparkCpuMicros")) / 1e6 / of("busy")),
      unit: "",
      ...guessed,
    },
    { part: "MongoDB", what: "readings inserted", value: readings, unit: "/s", ...measured },
    { part: "MongoDB", what: "windows of 10 s inserted", value: fine, unit: "/s", ...measured },
    { part: "MongoDB", what: "coarser windows inserted", value: coarser, unit: "/s", ...measured },
    {
      part: "MongoDB",
      what: `documents of ${request.keepRawDays} days, one copy`,
      value: kept / 1e12,
      unit: "TB",
      ...measured,
    },
    {
      part: "MongoDB",
      what: "shards",
      value: Math.ceil(
        Math.max(inserts / of("shardDocuments") / of("busy"), kept / of("shardBytes") / of("busy")),
      ),
      unit: "",
      ...guessed,
    },
    { part: "mesh", what: "cells", value: Math.ceil(readings / of("cellReadings")), unit: "", ...guessed },
  ];
}

/** A power of two: partitions are then spread evenly over brokers, tasks and cores, whose numbers grow. */
function partitionsOf(readings: number): number {
  return 2 ** Math.max(Math.ceil(Math.log2(readings / of("readingsPerPartition"))), 2);
}
