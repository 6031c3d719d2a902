import { collections, type FrontierDocument, type LeaseDocument } from "@devicemesh/pipeline";
import type { Db } from "mongodb";

const maxTimeMS = 5000;

/**
 * Returns the time by the log's clock before which a restored database is complete: readings, windows and records of
 * duplicates. In ms since 1970; 0 if it is complete for no time.
 * @throws Error if an aggregator is active, because it remembers the progress of the database before the restore; or if
 * the database has no frontier.
 */
export async function restoredThroughMs(db: Db): Promise<number> {
  const { localTime } = await db.command({ hello: 1 }, { timeoutMS: maxTimeMS });
  const lease = await db
    .collection<LeaseDocument>(collections.leases)
    .findOne({ _id: "aggregator", until: { $gt: localTime as Date } }, { maxTimeMS });
  if (lease) {
    throw new Error(
      `the aggregator ${lease.holder} is active, and knows only how far the database was before: stop it and wait ten seconds, start it again after this`,
    );
  }
  const frontier = await db
    .collection<FrontierDocument>(collections.frontier)
    .findOne({ _id: "frontier" }, { maxTimeMS });
  if (!frontier) {
    throw new Error(
      `database ${db.databaseName} has no record of its progress. If it is not the restored database, correct --mongodb-url; --replay beginning stores the whole log`,
    );
  }
  // Coarser levels are folded from the finest, so their missing segments need no log.
  const finestMs = frontier.frontiers[0]?.getTime() ?? 0;
  return Math.min(finestMs, frontier.complete_through.getTime());
}
