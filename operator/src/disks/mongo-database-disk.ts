import type { Db } from "mongodb";
import type { Disk } from "./disk-watch.ts";

/** Returns the disk of the database's primary; none where the server does not report it. */
export async function readDatabaseDisk(db: Db, signal: AbortSignal): Promise<readonly Disk[]> {
  const { fsTotalSize, fsUsedSize } = await db.command({ dbStats: 1 }, { signal });
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
