import type { Db, Document } from "mongodb";
import type { Disk } from "./disk-watch.ts";

/** Time limit of the request. */
const timeoutMs = 3000;

/**
 * Creates a reader of the disk of the database's primary. It returns none while the server does not answer: that it is
 * unavailable is reported elsewhere. A server that answers without its disk is not asked again: it may count all
 * documents for an answer.
 */
export function createDatabaseDiskReader(db: Db): (signal: AbortSignal) => Promise<readonly Disk[]> {
  let isReported = true;
  return async (signal) => {
    if (!isReported) return [];
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const answer: Document | undefined = await db
      .command({ dbStats: 1 }, { signal: limited })
      .catch(() => undefined);
    if (!answer) return [];
    const { fsTotalSize, fsUsedSize } = answer;
    isReported = typeof fsTotalSize === "number" && typeof fsUsedSize === "number" && fsTotalSize > 0;
    if (!isReported) return [];
    return [
      {
        name: "of the database",
        totalBytes: fsTotalSize,
        freeBytes: Math.max(fsTotalSize - fsUsedSize, 0),
        hasFailed: false,
      },
    ];
  };
}
