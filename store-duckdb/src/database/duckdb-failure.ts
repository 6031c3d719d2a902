/**
 * The kind of a failed statement: `invalidated` closes the whole database until it is opened again; after `internal`, a
 * failed assertion of the engine, its state in memory may be wrong; `diskFull` and `outOfMemory` end when there is
 * space or fewer statements run; `readOnly` ends when the file system is writable again; `other` is unexpected.
 */
export type DuckdbFailure = "invalidated" | "internal" | "diskFull" | "readOnly" | "outOfMemory" | "other";

/** Classifies an error of the engine by its text, because it has no codes. */
export function duckdbFailure(error: unknown): DuckdbFailure {
  const text = textOf(error);
  if (/database has been invalidated|^FATAL Error/i.test(text)) return "invalidated";
  if (/\bINTERNAL Error:/.test(text)) return "internal";
  if (/no space left on device|disk quota exceeded|not enough disk space/i.test(text)) return "diskFull";
  if (/read-only file system/i.test(text)) return "readOnly";
  if (isOutOfMemory(error)) return "outOfMemory";
  return "other";
}

/** Whether the engine ran out of memory, also if this has invalidated its database. */
export function isOutOfMemory(error: unknown): boolean {
  return /out of memory|failed to (allocate|offload|pin)|could not allocate/i.test(textOf(error));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
