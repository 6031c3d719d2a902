import type { Db, Document } from "mongodb";
import type { Disk } from "./disk-watch.ts";

/** Time limit of the request. */
const timeoutMs = 3000;

/**
 * Returns the disk of the database's primary; none where the server does not report it, or does not answer: that it is
 * unavailable is reported elsewhere.
 */
export async function readDatabaseDisk(db: Db, signal: AbortSignal): Promise<readonly Disk[]> {
  const { fsTotalSize, fsUsedSize } = await db
    .command({ dbStats: 1 }, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
    .catch(() => ({}) as Document);
  if (typeof fsTotalSize !== "number" || typeof fsUsedSize !== "number" || fsTotalSize <= 0) return [];
  return [
    {
      name: "of the database",
      totalBytes: fsTotalSize,
      freeBytes: Math.max(fsTotalSize - fsUsedSize, 0),
      hasFailed: false,
    },
  ];
}
