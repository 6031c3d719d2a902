import type { DecimalSign } from "../convert/numbers.ts";
import type { DateOrder } from "../time/dates.ts";

/** The user's options for recordings. Options that are left out are detected from the file, or become questions. */
export type ImportOptions = {
  /** The IANA zone of times without a zone. */
  readonly zone?: string | undefined;
  readonly order?: DateOrder | undefined;
  /** Units by the name of their sensor. */
  readonly units?: ReadonlyMap<string, string>;
  /** The device of all rows. */
  readonly device?: string | undefined;
  /** The sensor of all values in the column of values. */
  readonly sensor?: string | undefined;
  /** Texts and numbers that mean that the value is missing. */
  readonly missing?: readonly string[];
  readonly decimal?: DecimalSign | undefined;
  /**
   * The roles of columns: `time`, `device`, `value`, `sensor` (names of sensors), `unit`, a sensor's name, or `-`: not
   * read.
   */
  readonly columns?: ReadonlyMap<string, string>;
};

/** An open question of a file, and the flag that answers it. */
export type Question = { readonly flag: string; readonly text: string };
