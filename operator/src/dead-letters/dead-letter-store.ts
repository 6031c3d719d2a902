import type { DeadLetterKind, PartialFigures } from "@devicemesh/pipeline";
import type { DeadLetter, StoredReading } from "./dead-letter.ts";
import type { RepeatMark } from "./dirty-windows.ts";

/** A dead letter and what it was judged to be. */
export type JudgedLetter = {
  readonly letter: DeadLetter;
  readonly kind: DeadLetterKind;
  /** What is stored under its identity; undefined if nothing is, or it is no matter. */
  readonly storedValue?: number | undefined;
};

/** What the reader of dead letters needs of the database. */
export type DeadLetterStore = {
  /** What is stored under these identities. */
  readStored(identities: readonly string[]): Promise<ReadonlyMap<string, StoredReading>>;
  /** The partials of the finest level that are stored under these keys. */
  readStoredPartials(keys: readonly string[]): Promise<ReadonlyMap<string, PartialFigures>>;
  /** Resolves when all of it is durable. Writing the same again changes nothing. */
  write(batch: {
    readonly letters: readonly JudgedLetter[];
    readonly marks: readonly RepeatMark[];
  }): Promise<void>;
};
