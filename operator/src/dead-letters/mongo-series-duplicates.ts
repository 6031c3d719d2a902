import {
  type ConflictDocument,
  collections,
  type DeadLetterDocument,
  type SeriesDuplicatesDocument,
} from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import { latestConflictsMax } from "../limits.ts";
import { identityOfMessage, refusedValue } from "./dead-letter.ts";
import type { JudgedLetter } from "./dead-letter-store.ts";

const maxTimeMS = 30_000;

/** Dead letters of one series, and whether each was stored for the first time. */
type LettersOfSeries = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly letters: (JudgedLetter & { readonly isNew: boolean; readonly timestampMs: number })[];
};

/**
 * Stores the counts of duplicates and conflicts of each series, and the latest conflicts. A letter that is read again
 * changes nothing: if any letter of a series was stored before, the operator may have stopped between storing letters
 * and counts, so the series is counted again from its letters.
 */
export function createMongoSeriesDuplicates(db: Db) {
  const duplicates = db.collection<SeriesDuplicatesDocument>(collections.seriesDuplicates);
  const deadLetters = db.collection<DeadLetterDocument>(collections.deadLetters);

  async function count(series: LettersOfSeries): Promise<{ duplicates: number; conflicts: number }> {
    const { deviceId: device_id, sensor } = series;
    const [known, conflicting] = await Promise.all(
      (["duplicate", "conflict"] as const).map((kind) =>
        deadLetters.countDocuments({ device_id, sensor, kind }, { maxTimeMS }),
      ),
    );
    return { duplicates: known ?? 0, conflicts: conflicting ?? 0 };
  }

  return {
    /** Resolves when the counts include the letters, which must be stored already; `isNew` marks the new ones. */
    async update(letters: readonly (JudgedLetter & { readonly isNew: boolean })[]): Promise<void> {
      const bySeries = groupBySeries(letters);
      if (bySeries.size === 0) return;
      const known = await duplicates.find({ _id: { $in: [...bySeries.keys()] } }, { maxTimeMS }).toArray();
      const knownById = new Map(known.map((document) => [document._id, document]));
      const writes: { readonly replaceOne: object }[] = [];
      for (const [id, series] of bySeries) {
        const before = knownById.get(id);
        const counted = series.letters.every(({ isNew }) => isNew)
          ? addCounts(before, series)
          : await count(series);
        const replacement = {
          device_id: series.deviceId,
          sensor: series.sensor,
          ...counted,
          latest_conflicts: latest([...conflictsOf(series), ...(before?.latest_conflicts ?? [])]),
        };
        writes.push({ replaceOne: { filter: { _id: id }, replacement, upsert: true } });
      }
      await duplicates.bulkWrite(writes as Parameters<typeof duplicates.bulkWrite>[0], {
        ordered: false,
        maxTimeMS,
      });
    },
  };
}

function groupBySeries(
  letters: readonly (JudgedLetter & { readonly isNew: boolean })[],
): Map<string, LettersOfSeries> {
  const bySeries = new Map<string, LettersOfSeries>();
  for (const judged of letters) {
    if (judged.kind !== "duplicate" && judged.kind !== "conflict") continue;
    const identity = identityOfMessage(judged.letter);
    if (!identity) continue;
    const { deviceId, sensor, timestampMs } = identity;
    const id = `${deviceId}|${sensor}`;
    const series = bySeries.get(id) ?? { deviceId, sensor, letters: [] };
    series.letters.push({ ...judged, timestampMs });
    bySeries.set(id, series);
  }
  return bySeries;
}

function addCounts(before: SeriesDuplicatesDocument | undefined, { letters }: LettersOfSeries) {
  const conflicts = letters.filter(({ kind }) => kind === "conflict").length;
  return {
    duplicates: Number(before?.duplicates ?? 0) + letters.length - conflicts,
    conflicts: Number(before?.conflicts ?? 0) + conflicts,
  };
}

function conflictsOf({ letters }: LettersOfSeries): ConflictDocument[] {
  return letters.flatMap(({ letter, kind, storedValue, timestampMs }) => {
    const refused = refusedValue(letter);
    if (kind !== "conflict" || storedValue === undefined || typeof refused !== "number") return [];
    return [
      {
        timestamp: new Date(timestampMs),
        stored_value: storedValue,
        refused_value: refused,
        arrived: new Date(letter.arrivedMs),
      },
    ];
  });
}

/** Returns the latest conflicts, the newest first, each once. */
function latest(conflicts: readonly ConflictDocument[]): ConflictDocument[] {
  const each = new Map(
    conflicts.map((conflict) => [
      `${conflict.timestamp.getTime()}|${conflict.refused_value}|${conflict.arrived.getTime()}`,
      conflict,
    ]),
  );
  return [...each.values()]
    .sort(
      (a, b) => b.arrived.getTime() - a.arrived.getTime() || b.timestamp.getTime() - a.timestamp.getTime(),
    )
    .slice(0, latestConflictsMax);
}
