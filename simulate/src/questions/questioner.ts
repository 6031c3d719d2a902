import type { PartitionOffsets } from "@devicemesh/aggregator/log/log-access";
import type { PublishedFrontier } from "@devicemesh/aggregator/store/aggregator-store";
import { alignDown, type Level } from "@devicemesh/proto";
import { allTime } from "@devicemesh/query";
import type { DeviceStore } from "../engines/device-store.ts";
import type { SimulatedMesh, Tampering } from "../engines/mesh.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { createRandom } from "../fleet/random.ts";
import { horizonAgeMaxMs } from "../limits.ts";
import { answerOf } from "./answer.ts";
import { indexRecords, storedReadings } from "./brute-force.ts";
import { cellsDifference, differenceOf } from "./compare.ts";

/** The questions that were asked, and the answers that differ from brute force. */
export type QuestionCounts = {
  asked: number;
  different: number;
  /** The first differences, as text. */
  readonly differences: string[];
  /** Readings of all answers by their source. */
  readonly fromLevels: number[];
  fromRaw: number;
  fromRepairs: number;
};

/** What is published, and when it was read. */
type Horizon = PublishedFrontier & { readonly checked: PartitionOffsets; readonly atMs: number };

/** Asks about sampled devices, and compares with brute force. */
export type Questioner = {
  readonly counts: QuestionCounts;
  /** Remembers what is published now; later questions may use it while it is young. */
  observe(): void;
  /** Asks about one device and any timeframe. */
  askOne(): void;
  /** Asks about all devices at once, cell by cell. */
  askAll(timeframe?: { readonly sinceMs: number; readonly toMs: number }): void;
};

const differencesMax = 10;

/** Creates one that has not asked yet. */
export function createQuestioner(options: {
  readonly fleet: Fleet;
  readonly mesh: SimulatedMesh;
  readonly samples: readonly number[];
  readonly levels: readonly Level[];
  readonly tampering?: Tampering | undefined;
}): Questioner {
  const { fleet, mesh, samples, levels, tampering = {} } = options;
  const { seed, sinceMs: startMs } = fleet.config;
  const random = createRandom(seed + 11);
  const recordOf = indexRecords(mesh.records);
  const counts: QuestionCounts = {
    asked: 0,
    different: 0,
    differences: [],
    fromLevels: levels.map(() => 0),
    fromRaw: 0,
    fromRepairs: 0,
  };
  let horizons: Horizon[] = [];

  function anyHorizon(): Horizon {
    const place = random.next() < 0.5 ? horizons.length - 1 : random.between(0, horizons.length - 1);
    return horizons[place] as Horizon;
  }

  function anyTimeframe(): { readonly sinceMs: number; readonly toMs: number } {
    if (random.next() < 0.05) return allTime;
    const { nowMs } = mesh;
    const [a, b] = [
      random.between(startMs - 600_000, nowMs + 600_000),
      random.between(startMs, nowMs + 600_000),
    ];
    const timeframe = { sinceMs: Math.min(a, b), toMs: Math.max(a, b) + 1 };
    if (random.next() < 0.6) return timeframe;
    const sizeMs = levels[random.between(0, levels.length - 1)]?.windowMs as number;
    const sinceMs = alignDown(timeframe.sinceMs, sizeMs);
    return { sinceMs, toMs: alignDown(timeframe.toMs, sizeMs) + sizeMs };
  }

  function ask(
    devices: readonly number[],
    timeframe: { readonly sinceMs: number; readonly toMs: number },
  ): void {
    const { checked, completeThroughMs, frontiersMs, coarsePureSinceMs } = anyHorizon();
    const answer = answerOf({
      ...timeframe,
      levels,
      stores: devices.map((device) => mesh.database.devices.get(fleet.deviceId(device)) as DeviceStore),
      horizon: {
        completeThroughMs,
        frontiersMs: tampering.frontiersMs?.(frontiersMs) ?? frontiersMs,
        coarsePureSinceMs,
        levelsKeptSinceMs: levels.map(() => Number.NEGATIVE_INFINITY),
        rawKeptSinceMs: Number.NEGATIVE_INFINITY,
      },
    });
    const facts = { recordOf, stored: mesh.stored, checked, completeThroughMs };
    const readings = devices.map((device) => storedReadings(fleet, device, { ...timeframe, facts }));
    const wrong = devices.flatMap((device, place) => {
      const id = fleet.deviceId(device);
      const difference = differenceOf(answer.devices.get(id), readings[place] ?? []);
      return difference === undefined ? [] : [`${id}: ${difference}`];
    });
    const isSure = readings.every((list) => list.every(({ isPending }) => !isPending));
    if (devices.length > 1 && isSure) {
      const cells = Map.groupBy(answer.devices, ([id]) => id.split(":")[0] ?? "");
      const parts = [...cells.values()].map((cell) => cell.map(([, figures]) => figures));
      const difference = cellsDifference(parts, readings.flat());
      if (difference !== undefined) wrong.push(difference);
    }
    counts.asked++;
    counts.fromRaw += answer.sources.raw;
    counts.fromRepairs += answer.sources.repairs;
    for (const [level, count] of answer.sources.levels.entries()) {
      counts.fromLevels[level] = (counts.fromLevels[level] as number) + count;
    }
    if (wrong.length === 0) return;
    counts.different++;
    const frontiers = frontiersMs.map((ms) => (ms === 0 ? "none" : new Date(ms).toISOString())).join(", ");
    const at = `at ${new Date(mesh.nowMs).toISOString()}, frontiers ${frontiers}`;
    const [since, to] = [timeframe.sinceMs, timeframe.toMs].map((ms) => new Date(ms).toISOString());
    if (counts.differences.length < differencesMax)
      counts.differences.push(`${at}, [${since}, ${to}): ${wrong[0]}`);
  }

  return {
    counts,
    observe() {
      const oldestMs = mesh.nowMs - horizonAgeMaxMs;
      horizons = horizons.filter(({ atMs }) => atMs >= oldestMs);
      horizons.push({ ...mesh.database.published, checked: mesh.checked, atMs: mesh.nowMs });
    },
    askOne() {
      ask([samples[random.between(0, samples.length - 1)] as number], anyTimeframe());
    },
    askAll(timeframe = anyTimeframe()) {
      ask(samples, timeframe);
    },
  };
}
