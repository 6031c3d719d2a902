import { collections, type FrontierDocument, type LeaseDocument } from "@devicemesh/pipeline";
import type { Db } from "mongodb";

const maxTimeMS = 5000;

/**
 * The time by the log's clock before which a database that was restored has everything: readings, windows and what is
 * known of repeats. In ms since 1970; 0 if it has nothing permanently.
 * @throws Error if an aggregator is active, which remembers how far the database was before it was restored; or if
 *   the database has no frontier.
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
  // Coarser levels are folded from the finest; what they have not folded yet needs no log.
  const finestMs = frontier.frontiers[0]?.getTime() ?? 0;
  return Math.min(finestMs, frontier.complete_through.getTime());
}
