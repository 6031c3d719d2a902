import type { DecimalSign } from "../convert/numbers.ts";
import type { DateOrder } from "../time/dates.ts";

/** What a user states about recordings. Whatever is left out is found in the file, or asked for. */
export type ImportOptions = {
  /** The IANA zone of times that have none. */
  readonly zone?: string | undefined;
  readonly order?: DateOrder | undefined;
  /** Units by the name of their sensor. */
  readonly units?: ReadonlyMap<string, string>;
  /** The device of all rows. */
  readonly device?: string | undefined;
  /** The sensor of all values in the column of values. */
  readonly sensor?: string | undefined;
  /** Texts and numbers that mean that there is no value. */
  readonly missing?: readonly string[];
  readonly decimal?: DecimalSign | undefined;
  /** What columns are: `time`, `device`, `value`, `sensor` (names of sensors), `unit`, a sensor's name, or `-`: not read. */
  readonly columns?: ReadonlyMap<string, string>;
};

/** Something that a file leaves open, and the flag that states it. */
export type Question = { readonly flag: string; readonly text: string };
