import { setTimeout as delay } from "node:timers/promises";
import { connectorGroup } from "@devicemesh/pipeline";
import { replayMarginMs, replayStuckAfterMs } from "../limits.ts";
import { readGroupProgress } from "../maintenance/kafka-progress.ts";
import { createProgressWatch } from "../maintenance/progress-watch.ts";
import { type MeshEngines, openEngines } from "../mesh-engines.ts";
import { enginesOf, meshOf, type OperatorConfig } from "../settings.ts";
import { restoredThroughMs } from "./mongo-restored-through.ts";
import { replaySink } from "./replay-sink.ts";

const pollMs = 500;
/** Interval between reports of progress. */
const reportEveryMs = 2_000;
/** A sink and the offsets from which it replays. */
type Rewind = {
  readonly connector: string;
  readonly topic: string;
  /** The offsets by partition. */
  readonly offsets: ReadonlyMap<number, number>;
  /** A partition whose first record is not before the requested time, so that earlier records may have expired. */
  readonly cut: number | undefined;
  /** The sum of the ends of all partitions at the start. */
  readonly end: number;
  readonly records: number;
};

/**
 * Lets both sinks store the log again from `from` on, reports progress, and resolves when they have stored everything
 * that was in the log at the start. Stored documents are not changed.
 *
 * `from` is `beginning`, a time in ISO 8601, or `restored`: the time up to which the database itself is complete, for a
 * database that was restored from a backup.
 * @throws Error if an engine cannot be reached, a sink is stuck, or `from` is not valid; with `restored` also if an
 * aggregator is active, or the log does not reach back far enough. Then nothing has been changed.
 */
export async function replayLog(
  config: OperatorConfig,
  from: string,
  { report }: { readonly report: (line: string) => void },
): Promise<void> {
  const { names } = meshOf(config);
  await using engines = openEngines(enginesOf(config), names.database);
  const sinceMs = await sinceOf(from, engines);
  const rewinds = await Promise.all(
    (["messages", "windows"] as const).map((sink) =>
      planRewind(engines, { connector: names.connectors[sink], topic: names.topics[sink], sinceMs }),
    ),
  );
  if (from === "restored") for (const rewind of rewinds) mustReachBack(rewind, sinceMs);
  for (const { connector, topic, offsets, records } of rewinds) {
    const where = sinceMs === 0 ? "the beginning" : new Date(sinceMs).toISOString();
    report(`${connector}: ${records} records of ${topic} again, from ${where} on`);
    await replaySink(engines.rest, connector, { topic, offsets });
  }
  await Promise.all(rewinds.map((rewind) => untilStored(engines, rewind, report)));
  report("everything that was in the log is stored");
}

async function sinceOf(from: string, engines: MeshEngines): Promise<number> {
  if (from === "beginning") return 0;
  if (from === "restored") return Math.max((await restoredThroughMs(engines.db)) - replayMarginMs, 0);
  const timeMs = Date.parse(from);
  if (/^\d{4}-\d\d-\d\dT/.test(from) && !Number.isNaN(timeMs)) return timeMs;
  throw new Error(
    `--replay ${from} is neither \`restored\` nor \`beginning\` nor a time like 2026-11-24T02:00:00Z`,
  );
}

async function planRewind(
  { withAdmin }: MeshEngines,
  { connector, topic, sinceMs }: Pick<Rewind, "connector" | "topic"> & { readonly sinceMs: number },
): Promise<Rewind> {
  const [ends, starts, groups] = await withAdmin((admin) =>
    Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchTopicOffsetsByTimestamp(topic, sinceMs),
      admin.fetchOffsets({ groupId: connectorGroup(connector), topics: [topic] }),
    ]),
  );
  const asked = byPartition(starts);
  const committed = byPartition(groups.flatMap(({ partitions }) => partitions));
  const partitions = ends.map(({ partition, low, high }) => {
    const stored = committed.get(partition) ?? -1;
    return {
      partition,
      low: Number(low),
      high: Number(high),
      // Never forward: records that a sink has not stored yet must not be skipped.
      start: Math.min(asked.get(partition) ?? Number(low), stored < 0 ? Number(low) : stored),
    };
  });
  return {
    connector,
    topic,
    offsets: new Map(partitions.map(({ partition, start }) => [partition, start])),
    cut: partitions.find(({ low, start }) => low > 0 && start <= low)?.partition,
    end: partitions.reduce((sum, { high }) => sum + high, 0),
    records: partitions.reduce((sum, { high, start }) => sum + high - start, 0),
  };
}

function byPartition(
  entries: readonly { readonly partition: number; readonly offset: string }[],
): ReadonlyMap<number, number> {
  return new Map(entries.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** @throws Error if the log has lost records after that time, or cannot prove that it has not. */
function mustReachBack({ topic, cut }: Rewind, sinceMs: number): void {
  if (cut === undefined) return;
  throw new Error(
    `partition ${cut} of ${topic} does not reach back to ${new Date(sinceMs).toISOString()}, as the restored database needs: readings are lost. Restore a younger backup; or take what is left with --replay beginning`,
  );
}

async function untilStored(
  { withAdmin, rest }: MeshEngines,
  { connector, topic, end, records }: Rewind,
  report: (line: string) => void,
): Promise<void> {
  const watch = createProgressWatch();
  let reportedMs = performance.now();
  for (;;) {
    const progress = await readGroupProgress(withAdmin, connectorGroup(connector), topic);
    const left = Math.max(end - progress.committed, 0);
    const nowMs = performance.now();
    if (left === 0 || nowMs - reportedMs > reportEveryMs) {
      report(`${connector}: ${records - left} of ${records} records`);
      reportedMs = nowMs;
    }
    if (left === 0) return;
    if (watch.observe(nowMs, progress) > replayStuckAfterMs) {
      const state = await rest.readState(connector);
      throw new Error(
        `${connector} stores nothing (${state?.state ?? "missing"}): check the log of Kafka Connect; the replay continues when the cause is removed`,
      );
    }
    await delay(pollMs);
  }
}
