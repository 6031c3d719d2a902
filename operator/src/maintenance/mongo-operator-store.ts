import {
  collections,
  type DeadLetterDocument,
  type OperatorStatusDocument,
  outOfDiskSpaceCode,
} from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import { dirtyWindowsCountMax } from "../limits.ts";
import type { OperatorStore } from "./operator-store.ts";

/** Time limit of a whole request. */
const timeoutMS = 5000;

/** The part of the mesh's database that maintenance uses. */
export function createMongoOperatorStore(db: Db): OperatorStore {
  const status = db.collection<OperatorStatusDocument>(collections.status);
  const deadLetters = db.collection<DeadLetterDocument>(collections.deadLetters);
  return {
    async writeStatus(document) {
      await status.replaceOne({ _id: "operator" }, document, { upsert: true, timeoutMS });
    },
    countInvalid: (topic, signal) =>
      deadLetters.countDocuments(
        { kind: "invalid", topic },
        { limit: dirtyWindowsCountMax, timeoutMS, signal },
      ),
    countWithoutSpace: (topic, signal) =>
      deadLetters.countDocuments(
        { kind: "invalid", topic, reason: new RegExp(`\\bcode=${outOfDiskSpaceCode}\\b`) },
        { limit: dirtyWindowsCountMax, timeoutMS, signal },
      ),
  };
}
