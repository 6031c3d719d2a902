import { collections, type LeaseDocument } from "@devicemesh/pipeline";
import { type Db, MongoServerError } from "mongodb";
import type { Lease } from "./lease.ts";

const maxTimeMS = 2000;
const duplicateKey = 11_000;

/** Creates the lease `name` for `holder`, a unique name in the whole mesh. */
export function createMongoLease(options: {
  readonly db: Db;
  readonly name: string;
  readonly holder: string;
  /** Duration of the lease after it was taken or renewed. */
  readonly durationMs: number;
}): Lease {
  const { db, name, holder, durationMs } = options;
  const leases = db.collection<LeaseDocument>(collections.leases);

  /** All candidates use the database's clock, because the clocks of their machines may differ. */
  async function databaseTime(): Promise<number> {
    const { localTime } = await db.command({ hello: 1 }, { timeoutMS: maxTimeMS });
    return (localTime as Date).getTime();
  }

  return {
    async take() {
      const nowMs = await databaseTime();
      try {
        await leases.updateOne(
          { _id: name, $or: [{ holder }, { until: { $lt: new Date(nowMs) } }] },
          { $set: { holder, until: new Date(nowMs + durationMs) } },
          { upsert: true, maxTimeMS },
        );
        return { isHeld: true, holder };
      } catch (error) {
        // A duplicate `_id`: another candidate holds the lease, and it has not expired.
        if (!(error instanceof MongoServerError) || error.code !== duplicateKey) throw error;
        const found = await leases.findOne({ _id: name }, { maxTimeMS });
        return { isHeld: false, holder: found?.holder ?? "" };
      }
    },
    async release() {
      await leases.deleteOne({ _id: name, holder }, { maxTimeMS });
    },
  };
}
