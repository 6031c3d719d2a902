import {
  collections,
  type DeadLetterDocument,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialDocument,
} from "@devicemesh/pipeline";
import { type AnyBulkWriteOperation, Binary, type Db } from "mongodb";
import { deadLetterId, identityOfMessage } from "./dead-letter.ts";
import type { DeadLetterStore, JudgedLetter } from "./dead-letter-store.ts";
import type { DuplicateMark } from "./dirty-windows.ts";
import { createMongoSeriesDuplicates } from "./mongo-series-duplicates.ts";

const maxTimeMS = 30_000;

/** Stores dead letters and marks in the mesh's database. All functions reject while the database is unavailable. */
export function createMongoDeadLetterStore(db: Db): DeadLetterStore {
  const messages = db.collection<MessageDocument>(collections.messages);
  const deadLetters = db.collection<DeadLetterDocument>(collections.deadLetters);
  const partials = db.collection<PartialDocument>(collections.windows);
  const duplicateWindows = db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
  const duplicates = createMongoSeriesDuplicates(db);
  return {
    async readStored(identities) {
      const found = messages.find(
        { _id: { $in: [...identities] } },
        { projection: { offset: 1, arrived: 1, value: 1 }, maxTimeMS },
      );
      const stored = new Map();
      for await (const { _id, offset, arrived, value } of found) {
        stored.set(_id, { offset: Number(offset), arrivedMs: arrived.getTime(), value: Number(value) });
      }
      return stored;
    },
    async readStoredPartials(keys) {
      const found = partials.find({ _id: { $in: [...keys] } }, { maxTimeMS });
      const stored = new Map();
      for await (const partial of found) stored.set(partial._id, partial);
      return stored;
    },
    async write({ letters, marks }) {
      // Marks first, because answers depend on them.
      if (marks.length > 0) await duplicateWindows.bulkWrite(marks.map(markWrite), { ordered: false });
      if (letters.length === 0) return;
      const { upsertedIds } = await deadLetters.bulkWrite(letters.map(letterWrite), { ordered: false });
      await duplicates.update(letters.map((judged, place) => ({ ...judged, isNew: place in upsertedIds })));
    },
  };
}

function markWrite(mark: DuplicateMark): AnyBulkWriteOperation<DuplicateWindowDocument> {
  return {
    updateOne: {
      filter: { _id: mark.id },
      update: {
        $setOnInsert: {
          device_id: mark.deviceId,
          sensor: mark.sensor as DuplicateWindowDocument["sensor"],
          window_start: new Date(mark.windowMs),
        },
        $min: { first_repeat: new Date(mark.firstDuplicateMs) },
        $max: { last_repeat: new Date(mark.lastDuplicateMs) },
      },
      upsert: true,
    },
  };
}

/** The first kind stays: the message that it was compared with may have expired since. */
function letterWrite({ letter, kind }: JudgedLetter): AnyBulkWriteOperation<DeadLetterDocument> {
  const series = kind === "redelivery" ? undefined : identityOfMessage(letter);
  const { reason, stage, key, value, origin, arrivedMs } = letter;
  return {
    updateOne: {
      filter: { _id: deadLetterId(letter) },
      update: {
        $setOnInsert: {
          kind,
          reason,
          stage,
          key,
          // The reading itself is stored: a replayed topic must not store it twice.
          value: value === null || kind === "redelivery" ? null : new Binary(value),
          ...origin,
          arrived: new Date(arrivedMs),
          ...(series && { device_id: series.deviceId, sensor: series.sensor }),
        },
      },
      upsert: true,
    },
  };
}
