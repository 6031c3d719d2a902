/**
 * The kind of a failed statement: `invalidated` closes the whole database until it is opened again; `diskFull` and
 * `outOfMemory` end when there is space or fewer statements run; `readOnly` ends when the file system is writable
 * again; `other` is unexpected.
 */
export type DuckdbFailure = "invalidated" | "diskFull" | "readOnly" | "outOfMemory" | "other";

/** Classifies an error of the engine by its text, because it has no codes. */
export function duckdbFailure(error: unknown): DuckdbFailure {
  const text = error instanceof Error ? error.message : String(error);
  if (/database has been invalidated|^FATAL Error/i.test(text)) return "invalidated";
  if (/no space left on device|disk quota exceeded|not enough disk space/i.test(text)) return "diskFull";
  if (/read-only file system/i.test(text)) return "readOnly";
  if (/out of memory|failed to (allocate|offload|pin)|could not allocate/i.test(text)) return "outOfMemory";
  return "other";
}
