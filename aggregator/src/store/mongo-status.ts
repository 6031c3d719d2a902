import { type AggregatorStatusDocument, type CheckpointDocument, collections } from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import type { PartitionOffsets } from "../log/log-access.ts";
import type { AggregatorStore } from "./aggregator-store.ts";

const maxTimeMS = 5000;

/** The status documents of the aggregator, and the starts of checkpoints. */
export function createMongoStatus(
  db: Db,
): Pick<AggregatorStore, "writeStatus" | "rememberCheckpoint" | "readCheckpoint" | "rememberChecked"> {
  const statuses = db.collection<AggregatorStatusDocument>(collections.status);
  const checkpoints = db.collection<CheckpointDocument>(collections.checkpoints);

  return {
    async writeStatus(status) {
      await statuses.replaceOne({ _id: "aggregator" }, status, { upsert: true, maxTimeMS });
    },
    async rememberCheckpoint(identity, first) {
      const known = await checkpoints.findOne({ _id: identity }, { maxTimeMS });
      if (known) return startOf(known);
      const { sinceMs, startingOffsets } = await first();
      const start = {
        since: new Date(sinceMs),
        offsets: inOrder(startingOffsets),
      };
      // Two calls may race here: the first one wins for both.
      await checkpoints.updateOne({ _id: identity }, { $setOnInsert: start }, { upsert: true, maxTimeMS });
      const remembered = await checkpoints.findOne({ _id: identity }, { maxTimeMS });
      if (!remembered) throw new Error(`checkpoint ${identity} was removed while it was written`);
      return startOf(remembered);
    },
    async readCheckpoint(identity) {
      const found = await checkpoints.findOne({ _id: identity }, { maxTimeMS });
      if (!found) return undefined;
      return { ...startOf(found), checked: found.checked && byPartition(found.checked) };
    },
    async rememberChecked(identity, checked) {
      const update = { $set: { checked: inOrder(checked) } };
      await checkpoints.updateOne({ _id: identity }, update, { maxTimeMS });
    },
  };
}

function startOf({ since, offsets }: CheckpointDocument) {
  return {
    sinceMs: since.getTime(),
    startingOffsets: byPartition(offsets),
  };
}

function byPartition(offsets: readonly number[]): PartitionOffsets {
  return new Map(offsets.map((offset, partition) => [partition, Number(offset)]));
}

function inOrder(offsets: PartitionOffsets): number[] {
  return [...offsets].sort(([a], [b]) => a - b).map(([, offset]) => offset);
}
