import { figure, spreadText, type Target } from "../report/figures.ts";
import { percentile, type Spread, spreadOf } from "../report/statistics.ts";
import { burstClients } from "./concurrent-clients.ts";
import type { QueryResult } from "./query-bench.ts";
import type { AskedKind } from "./query-questions.ts";

const ratioTargets = [
  {
    of: "anyTimeframe",
    to: "oneRow",
    most: 10,
    text: "p99 of any timeframe at most 10 times that of one row",
  },
  { of: "full", to: "hour", most: 2, text: "p99 of the full range at most 2 times that of one hour" },
] as const;

const latencyTargets = [
  { of: "oneRow", share: 0.5, mostMs: 1.5, text: "p50 of one row" },
  { of: "anyTimeframe", share: 0.5, mostMs: 4, text: "p50 of any timeframe" },
  { of: "anyTimeframe", share: 0.99, mostMs: 9, text: "p99 of any timeframe" },
] as const;

/** How much faster the full range must be than DuckDB scanning the raw readings. */
const fasterThanScanMin = 100;

/** Answers that the server must give for each second of CPU. */
const answersPerCoreMin = 1500;

/** The targets of the query bench and their measurements: the median over the rounds. */
export function queryTargets(result: QueryResult): Target[] {
  const faster = spreadOf(fasterThanScan(result));
  const perCore = spreadOf(answersPerCore(result));
  return [
    ...ratioTargets.map(({ of, to, most, text }) => {
      const below = percentiles(result, to, 0.99);
      const ratio = spreadOf(percentiles(result, of, 0.99).map((p99, round) => p99 / below[round]!));
      return { text, measured: `${spreadText(ratio)} times`, met: ratio.median <= most };
    }),
    ...latencyTargets.map(({ of, share, mostMs, text }) => {
      const ms = spreadOf(percentiles(result, of, share));
      const multiple = timesEmpty(result, of, share);
      return {
        text: `${text} at most ${mostMs} ms`,
        measured: `${spreadText(ms)} ms, ${spreadText(multiple)} times an empty RPC`,
        met: ms.median <= mostMs,
      };
    }),
    {
      text: `the full range at least ${fasterThanScanMin} times faster than DuckDB scanning the raw readings`,
      measured: `${spreadText(faster)} times`,
      met: faster.median >= fasterThanScanMin,
    },
    {
      text: `${burstClients} clients at once: at least ${figure(answersPerCoreMin)} answers of any timeframe for each second of the server's CPU`,
      measured: spreadText(perCore),
      met: perCore.median >= answersPerCoreMin,
    },
  ];
}

/** Returns a percentile of each round. */
export function percentiles({ latenciesMs }: QueryResult, kind: AskedKind, share: number): number[] {
  return latenciesMs[kind].map((round) => percentile(round, share));
}

/** Returns a percentile of a kind as a multiple of the p50 of an empty RPC in the same round. */
export function timesEmpty(result: QueryResult, kind: AskedKind, share: number): Spread {
  const empty = percentiles(result, "empty", 0.5);
  return spreadOf(percentiles(result, kind, share).map((ms, round) => ms / empty[round]!));
}

/** Returns the p50 of the scans of each round. */
export function scanMedians({ scansMs }: QueryResult): number[] {
  return scansMs.map((scans) => percentile(scans, 0.5));
}

/** Returns for each round how much faster the p50 of the full range is than the median scan. */
function fasterThanScan(result: QueryResult): number[] {
  const full = percentiles(result, "full", 0.5);
  return scanMedians(result).map((scanMs, round) => scanMs / full[round]!);
}

function answersPerCore({ bursts }: QueryResult): number[] {
  return bursts.map(({ answers, cpuMs }) => answers / (cpuMs / 1000));
}
