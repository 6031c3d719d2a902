import type { DeadLetterKind } from "@devicemesh/pipeline";
import type { DeadLetter } from "./dead-letter.ts";
import { duplicateKeyCode, kindOf } from "./dead-letter.ts";
import type { DeadLetterStore } from "./dead-letter-store.ts";
import { markOfMessage, markOfPartial, mergeMarks } from "./dirty-windows.ts";
import { isStoredPartial } from "./partial-redelivery.ts";

/**
 * Stores dead letters with their kinds, and marks the windows that they make dirty. Resolves to the kinds when
 * everything is durably stored; storing the same letters again changes nothing. All letters must be of the same sink.
 */
export async function takeDeadLetters(
  letters: readonly DeadLetter[],
  options: {
    readonly sink: "messages" | "windows";
    readonly store: DeadLetterStore;
    /** The size of the finest windows, in ms. */
    readonly windowMs: number;
  },
): Promise<readonly DeadLetterKind[]> {
  const { sink, store, windowMs } = options;
  const repeated = letters.flatMap(({ code, key }) =>
    code === duplicateKeyCode && key !== null ? [key] : [],
  );
  if (sink === "windows") return takePartials(letters, repeated, store);
  const stored = repeated.length > 0 ? await store.readStored([...new Set(repeated)]) : new Map();
  const judged = letters.map((letter) => {
    const known = letter.key === null ? undefined : stored.get(letter.key);
    return { letter, kind: kindOf(letter, known), storedValue: known?.value };
  });
  await store.write({
    letters: judged,
    marks: mergeMarks(judged.flatMap(({ letter, kind }) => markOfMessage(letter, kind, windowMs) ?? [])),
  });
  return judged.map(({ kind }) => kind);
}

/** A redelivery of a stored partial is not kept as a dead letter: nothing is lost and nothing counted twice. */
async function takePartials(
  letters: readonly DeadLetter[],
  repeated: readonly string[],
  store: DeadLetterStore,
): Promise<readonly DeadLetterKind[]> {
  const stored = repeated.length > 0 ? await store.readStoredPartials([...new Set(repeated)]) : new Map();
  const kinds = letters.map(
    (letter): DeadLetterKind =>
      letter.key !== null && isStoredPartial(letter, stored.get(letter.key)) ? "redelivery" : "invalid",
  );
  const invalid = letters.filter((_, place) => kinds[place] === "invalid");
  if (invalid.length > 0) {
    await store.write({
      letters: invalid.map((letter) => ({ letter, kind: "invalid" as const })),
      marks: mergeMarks(invalid.flatMap((letter) => markOfPartial(letter) ?? [])),
    });
  }
  return kinds;
}
