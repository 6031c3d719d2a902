import type { DeadLetterKind } from "@devicemesh/chain";
import type { DeadLetter } from "./dead-letter.ts";
import { duplicateKeyCode, kindOf } from "./dead-letter.ts";
import type { DeadLetterStore } from "./dead-letter-store.ts";
import { markOfMessage, markOfPartial, mergeMarks } from "./repeat-marks.ts";

/**
 * Stores dead letters with their kinds, and marks the windows that they make dirty. Resolves to the kinds when all
 * of it is durable; taking the same ones again changes nothing. All of them were refused by the same sink.
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
  if (sink === "windows") {
    await store.write({
      letters: letters.map((letter) => ({ letter, kind: "invalid" as const })),
      marks: mergeMarks(letters.flatMap((letter) => markOfPartial(letter) ?? [])),
    });
    return letters.map(() => "invalid");
  }
  const repeated = letters.flatMap(({ code, key }) =>
    code === duplicateKeyCode && key !== null ? [key] : [],
  );
  const stored = repeated.length > 0 ? await store.readStored([...new Set(repeated)]) : new Map();
  const judged = letters.map((letter) => ({
    letter,
    kind: kindOf(letter, letter.key === null ? undefined : stored.get(letter.key)),
  }));
  await store.write({
    letters: judged,
    marks: mergeMarks(judged.flatMap(({ letter, kind }) => markOfMessage(letter, kind, windowMs) ?? [])),
  });
  return judged.map(({ kind }) => kind);
}
