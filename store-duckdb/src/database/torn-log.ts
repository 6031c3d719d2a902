import { copyFile, readFile, truncate } from "node:fs/promises";

/** A write that a power loss interrupts is written in sectors of this size. */
const sectorBytes = 512;

/** The size and the checksum of an entry; the engine reports the position after them. */
const headerBytes = 16;

/** Fewer zeros may be data. */
const fewestBytes = 16;

/**
 * Cuts the end of a write-ahead log that a power loss has torn, so that the engine can open it. Every acknowledged
 * reading was synced together with everything before it in the log, so a torn entry and the data after it were never
 * acknowledged. An entry counts as torn if the file ends in it, or if a sector of it or after it was never written
 * (zeros); any other damage is not repaired. The original log is kept beside it.
 * @returns the path of that copy, or undefined if the error is not that of a torn log.
 */
export async function cutTornLog(error: unknown): Promise<string | undefined> {
  const text = error instanceof Error ? error.message : String(error);
  const [, log, place] =
    /WAL file "(.+?)": Corrupt WAL file: entry .*?at byte position (\d+)/.exec(text) ?? [];
  if (log === undefined || place === undefined) return undefined;
  const at = Number(place) - headerBytes;
  const content = await readFile(log);
  if (!/entry size exceeded/.test(text) && !hasUnwrittenSector(content, at)) return undefined;
  const copy = `${log}.torn`;
  await copyFile(log, copy);
  await truncate(log, at);
  return copy;
}

function hasUnwrittenSector(content: Buffer, from: number): boolean {
  for (
    let start = Math.floor(from / sectorBytes) * sectorBytes;
    start < content.length;
    start += sectorBytes
  ) {
    // The first sector also has the end of the previous entry, which is complete.
    const sector = content.subarray(Math.max(start, from), Math.min(start + sectorBytes, content.length));
    if (sector.length >= fewestBytes && sector.every((byte) => byte === 0)) return true;
  }
  return false;
}
