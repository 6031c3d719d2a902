import type { DeadLetterKind, PartialFigures } from "@devicemesh/pipeline";
import type { DeadLetter, StoredReading } from "./dead-letter.ts";
import type { DuplicateMark } from "./dirty-windows.ts";

/** A dead letter and its kind. */
export type JudgedLetter = {
  readonly letter: DeadLetter;
  readonly kind: DeadLetterKind;
  /** The value stored under its identity; undefined if there is none or it is irrelevant. */
  readonly storedValue?: number | undefined;
};

/** The part of the database that the reader of dead letters uses. */
export type DeadLetterStore = {
  /** Returns the values stored under these identities. */
  readStored(identities: readonly string[]): Promise<ReadonlyMap<string, StoredReading>>;
  /** Returns the stored partials of the finest level with these keys. */
  readStoredPartials(keys: readonly string[]): Promise<ReadonlyMap<string, PartialFigures>>;
  /** Resolves when everything is durably stored. Writing the same again changes nothing. */
  write(batch: {
    readonly letters: readonly JudgedLetter[];
    readonly marks: readonly DuplicateMark[];
  }): Promise<void>;
};
