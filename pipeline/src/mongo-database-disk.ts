/** MongoDB's error code for a write without disk space. */
export const outOfDiskSpaceCode = 14_031;

/** The problem as text, with its fix. */
export const databaseDiskFull =
  "the disk of the database is full: add space or shorten the retention; Kafka keeps what is not stored yet";

/** The fields of an error of the driver that are used. */
type Failure = {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly writeErrors?: unknown;
};

/**
 * Whether a failure is that of a write to a database without disk space: an error of the driver by its code, its causes
 * and the errors of a bulk write included, or the trace of a sink by its text.
 */
export function isDatabaseDiskFull(failure: unknown): boolean {
  if (typeof failure === "string") return namesFullDisk(failure);
  const seen = new Set<unknown>();
  for (let one = failure; isObject(one) && !seen.has(one); one = one.cause) {
    seen.add(one);
    if (isOfFullDisk(one)) return true;
  }
  return false;
}

function isOfFullDisk(error: Failure): boolean {
  const all: readonly unknown[] = [error, error.writeErrors].flat();
  if (all.some((each) => isObject(each) && each.code === outOfDiskSpaceCode)) return true;
  return typeof error.message === "string" && namesFullDisk(error.message);
}

function namesFullDisk(text: string): boolean {
  return /\bOutOfDiskSpace\b|\bcode[=: ]+14031\b|\berror 14031\b|no space left on device/i.test(text);
}

function isObject(value: unknown): value is Failure {
  return typeof value === "object" && value !== null;
}
