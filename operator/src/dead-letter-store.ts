import type { DeadLetterKind, PartialFigures } from "@devicemesh/chain";
import type { DeadLetter, StoredReading } from "./dead-letter.ts";
import type { RepeatMark } from "./repeat-marks.ts";

/** What the reader of dead letters needs of the database. */
export type DeadLetterStore = {
  /** What is stored under these identities. */
  readStored(identities: readonly string[]): Promise<ReadonlyMap<string, StoredReading>>;
  /** The partials of the finest level that are stored under these keys. */
  readStoredPartials(keys: readonly string[]): Promise<ReadonlyMap<string, PartialFigures>>;
  /** Resolves when all of it is durable. Writing the same again changes nothing. */
  write(batch: {
    readonly letters: readonly { readonly letter: DeadLetter; readonly kind: DeadLetterKind }[];
    readonly marks: readonly RepeatMark[];
  }): Promise<void>;
};
