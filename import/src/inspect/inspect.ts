import { createAnnotatedReader } from "../formats/annotated-csv.ts";
import { createTableReader } from "../formats/csv-rows.ts";
import { formatOf } from "../formats/file-format.ts";
import { createJsonDocumentReader } from "../formats/json-document-rows.ts";
import { createJsonReader } from "../formats/json-rows.ts";
import { createLineProtocolRows } from "../formats/line-protocol-rows.ts";
import type { Row, RowReader } from "../formats/row.ts";
import { type FoundTable, tableLayoutOf } from "../formats/table-layout.ts";
import { sampleRows } from "../limits.ts";
import { type FilePlan, planFile } from "./file-plan.ts";
import type { ImportOptions, Question } from "./options.ts";
import type { SensorLookup } from "./sensor-lookup.ts";

/** The description of a recording, before anything of it is stored. */
export type Inspection = {
  /** The name of the format. */
  readonly format: string;
  readonly preset: string | undefined;
  /** The plan; undefined if there are open questions. */
  readonly plan: FilePlan | undefined;
  readonly questions: readonly Question[];
  /** Why the recording is unreadable. */
  readonly problem: string | undefined;
  /** The rows of the sample. */
  readonly sample: readonly Row[];
  /** Creates a reader of all its rows. */
  createReader(): RowReader;
};

/** Describes a recording from its beginning. `isWhole` means that the sample is all of it. Pure. */
export function inspect(
  text: string,
  isWhole: boolean,
  { options, lookup }: { readonly options: ImportOptions; readonly lookup: SensorLookup },
): Inspection {
  const format = formatOf(text);
  if (format.kind === "unreadable") return unreadable(format.problem);
  let table: FoundTable | undefined;
  if (format.kind === "table") {
    table = tableLayoutOf(text, isWhole);
    if (table === undefined)
      return unreadable("the file has no rows with times or numbers: it is not a table of readings");
  }
  const createReader = (): RowReader => {
    switch (format.kind) {
      case "table":
        return createTableReader(table!.layout);
      case "annotated-csv":
        return createAnnotatedReader();
      case "json-lines":
        return createJsonReader();
      case "json-document":
        return createJsonDocumentReader();
      case "line-protocol":
        return createLineProtocolRows(format.precision);
    }
  };
  const sample = createReader()
    // The last line may be incomplete; a JSON document may have one line only.
    .read(
      isWhole || format.kind === "json-document" ? text : text.slice(0, text.lastIndexOf("\n") + 1),
      isWhole,
    )
    .slice(0, sampleRows);
  const units =
    table?.units &&
    new Map(
      table.layout.names
        .map((name, at) => [name, table.units![at] ?? ""] as const)
        .filter(([, unit]) => unit !== ""),
    );
  // A comma between the columns is no decimal sign, unless it is quoted.
  const pointsMayGroup = table !== undefined && table.layout.separator !== ",";
  const found = planFile(sample, { options, lookup, units, pointsMayGroup });
  return {
    format: formatText(format, table),
    preset:
      found.kind === "plan"
        ? found.plan.preset?.name
        : found.kind === "questions"
          ? found.preset?.name
          : undefined,
    plan: found.kind === "plan" ? found.plan : undefined,
    questions: found.kind === "questions" ? found.questions : [],
    problem: undefined,
    sample,
    createReader,
  };
}

function unreadable(problem: string): Inspection {
  return {
    format: "not readable",
    preset: undefined,
    plan: undefined,
    questions: [],
    problem,
    sample: [],
    createReader: () => ({ read: () => [] }),
  };
}

const separatorNames = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "bars",
  blanks: "blanks",
} as const;

function formatText(
  format: Exclude<ReturnType<typeof formatOf>, { kind: "unreadable" }>,
  table: FoundTable | undefined,
): string {
  if (format.kind === "json-lines") return "JSON, an object a line";
  if (format.kind === "json-document") return "JSON";
  if (format.kind === "annotated-csv") return "annotated CSV of InfluxDB";
  if (format.kind === "line-protocol") return `line protocol, timestamps in ${format.precision}`;
  const { layout, headerLine, units, hasRowNumbers } = table!;
  return [
    `a table with ${layout.names.length} columns, separated by ${separatorNames[layout.separator]}`,
    headerLine === undefined
      ? "without a header: columns are called by their number"
      : `header on line ${headerLine}`,
    ...(units === undefined ? [] : ["units in the line below"]),
    ...(hasRowNumbers ? ["row numbers in front, without a name"] : []),
  ].join(", ");
}
