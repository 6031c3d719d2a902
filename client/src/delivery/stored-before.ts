import type { SendAcked } from "./unit.ts";

/** Acknowledged readings that were stored before. The others of those that were acknowledged are stored by these units. */
export type StoredBefore = {
  /** With the same value. */
  readonly duplicates: number;
  /** With another value, which stays. */
  readonly conflicts: number;
  /** With the same value, in a unit that was sent more than once: by its own earlier attempt, or before that. */
  readonly resent: number;
  /** Of these readings ingest does not know yet whether they were stored before. */
  readonly unknown: number;
};

/** Of no reading. */
export const noneStoredBefore: StoredBefore = { duplicates: 0, conflicts: 0, resent: 0, unknown: 0 };

/** What is known of a unit by what ingest found. `isAgain`: its readings were sent before, and not acknowledged. */
export function storedBeforeOf({
  accepted,
  found,
  isAgain,
}: Pick<SendAcked, "accepted" | "found"> & { readonly isAgain: boolean }): StoredBefore {
  if (found === undefined) return { ...noneStoredBefore, unknown: accepted };
  const { duplicates, conflicts } = found;
  return { ...noneStoredBefore, conflicts, [isAgain ? "resent" : "duplicates"]: duplicates };
}

/** Of both. */
export function sumOfStoredBefore(one: StoredBefore, other: StoredBefore): StoredBefore {
  return {
    duplicates: one.duplicates + other.duplicates,
    conflicts: one.conflicts + other.conflicts,
    resent: one.resent + other.resent,
    unknown: one.unknown + other.unknown,
  };
}
