import { type DecimalSign, decimalSignOf, mayGroupByPoints, readNumber } from "../convert/numbers.ts";
import type { Row } from "../formats/row.ts";
import { inferTimeForm } from "../time/infer-time-form.ts";
import { sensorOfEntity } from "./column-name.ts";
import { deviceRank, timeRank } from "./column-roles.ts";
import type { ImportOptions, Question } from "./options.ts";
import { type Preset, presetOf } from "./preset.ts";
import { createSchemas, type RowSchema, type SensorCell } from "./row-schema.ts";
import { columnsOf, type SampleColumn } from "./sample-columns.ts";
import { type RoleContext, statedTarget } from "./schema.ts";
import type { SensorLookup } from "./sensor-lookup.ts";
import { planTimes, type TimePlan } from "./time-plan.ts";
import { unitQuestions } from "./unit-questions.ts";

/** How the rows of a file are converted to readings. */
export type FilePlan = {
  readonly options: ImportOptions;
  readonly lookup: SensorLookup;
  readonly preset: Preset | undefined;
  readonly times: TimePlan;
  /** Returns the meaning of each cell of rows with these names. */
  schemaOf(names: readonly string[]): RowSchema;
};

/** The plan of a file, if there are no open questions. */
export type FoundPlan =
  | { readonly kind: "plan"; readonly plan: FilePlan }
  | {
      readonly kind: "questions";
      readonly questions: readonly Question[];
      readonly preset: Preset | undefined;
    }
  /** No row of the sample is readable, so that there is nothing to decide. */
  | { readonly kind: "no-rows" };

/** Determines the meaning of the rows of a file from its first ones. Collects every question before it gives up. */
export function planFile(
  sample: readonly Row[],
  {
    options,
    lookup,
    units,
    pointsMayGroup = false,
  }: {
    readonly options: ImportOptions;
    readonly lookup: SensorLookup;
    /** The units of the columns, if a row below the header contains them. */
    readonly units?: ReadonlyMap<string, string> | undefined;
    /** Whether points may separate thousands, as in tables of programs that write decimal commas. */
    readonly pointsMayGroup?: boolean;
  },
): FoundPlan {
  const rows = sample.filter(({ problem }) => problem === undefined);
  if (rows.length === 0) return { kind: "no-rows" };
  const columns = columnsOf(rows);
  const names = columns.map(({ name }) => name);
  const preset = presetOf(names);
  const isStated = (name: string, target: string) =>
    statedTarget(options.columns, name, names.indexOf(name)) === target;
  const timeColumns = names.filter((name) => isStated(name, "time"));
  const unstated = columns.filter(
    ({ name }) => statedTarget(options.columns, name, names.indexOf(name)) === undefined,
  );
  const times = planTimes(timeColumns.length > 0 ? columns : unstated, timeColumns, {
    ...options,
    preset,
  });
  const context: RoleContext = {
    options,
    lookup,
    preset,
    times: times.plan,
    excluded: excludedColumns(unstated, times.plan),
    samples: new Map(columns.map((column) => [column.name, column])),
    unitOfColumn: (name) => units?.get(name),
  };
  const decimals = new Map<string, DecimalSign>();
  const schemas = createSchemas({
    context,
    decimalOf: (name) => options.decimal ?? decimals.get(name) ?? ".",
  });
  const used = [...new Set(rows.map((row) => row.names))].map((set) => schemas(set));
  const questions = [
    ...times.questions,
    ...(timeColumns.length > 0 ? [] : clockQuestions(rows, schemas, times.plan)),
    ...deviceQuestions(used, columns, options),
    ...sensorQuestions(used, columns, context),
    ...decimalQuestions(used, context, { decimals, pointsMayGroup }),
    // The decimal signs are known now.
    ...unitQuestions(
      rows,
      context,
      createSchemas({ context, decimalOf: (name) => options.decimal ?? decimals.get(name) ?? "." }),
    ),
  ];
  if (questions.length > 0 || times.plan === undefined) return { kind: "questions", questions, preset };
  const schemaOf = createSchemas({
    context,
    decimalOf: (name) => options.decimal ?? decimals.get(name) ?? ".",
  });
  return { kind: "plan", plan: { options, lookup, preset, times: times.plan, schemaOf } };
}

/** Times other than the chosen ones, and row numbers, are not values. */
function excludedColumns(columns: readonly SampleColumn[], times: TimePlan | undefined): ReadonlySet<string> {
  const excluded = columns.filter(({ name, texts }) => {
    if (name === times?.column || name === times?.clockColumn) return false;
    const isTime = inferTimeForm(texts).kind !== "none";
    return (
      (isTime && (timeRank(name) !== undefined || !texts.every((text) => /^[\d.]+$/.test(text)))) ||
      isRowNumber(name, texts)
    );
  });
  return new Set(excluded.map(({ name }) => name));
}

/** Whole numbers that increase from row to row, in a column that is named accordingly or has no name. */
function isRowNumber(name: string, texts: readonly string[]): boolean {
  if (!/^(column 1|id|index|row.*|no\.?|nr\.?|#|record|unnamed.*)$/i.test(name) || texts.length < 2)
    return false;
  return texts.every((text, at) => /^\d+$/.test(text) && (at === 0 || Number(text) > Number(texts[at - 1])));
}

/** Dates without times of day are asked about where most rows of a series share theirs with another row. */
function clockQuestions(
  rows: readonly Row[],
  schemaOf: (names: readonly string[]) => RowSchema,
  times: TimePlan | undefined,
): Question[] {
  if (!times?.isDate) return [];
  const moments = rows.map(({ names, cells }) => {
    const { timeAt, deviceAt, sensorAt, measurementAt } = schemaOf(names);
    return [timeAt, deviceAt, sensorAt, measurementAt].map((at) => cells[at] ?? "").join("\u0000");
  });
  if (new Set(moments).size * 2 > rows.length) return [];
  const text = `${JSON.stringify(times.column)} holds dates without times of day, and several rows have the same date: name both columns, or state that there is none with --map ${JSON.stringify(`${times.column}=time`)}`;
  return [{ flag: "--map COLUMN=time", text }];
}

function deviceQuestions(
  used: readonly RowSchema[],
  columns: readonly SampleColumn[],
  { device }: ImportOptions,
): Question[] {
  if (device !== undefined || used.every(({ deviceAt }) => deviceAt >= 0)) return [];
  const fewTexts = columns.filter(({ name, texts }) => {
    const different = new Set(texts).size;
    return (
      deviceRank(name) === undefined &&
      different > 0 &&
      different <= Math.max(20, texts.length / 20) &&
      /\D/.test(texts[0]!)
    );
  });
  const shown = fewTexts
    .filter(({ texts }) => inferTimeForm(texts).kind === "none" && !/^[\d.,+-]+$/.test(texts[0]!))
    .slice(0, 3);
  const hint = shown
    .map(({ name, texts }) => `--map ${JSON.stringify(`${name}=device`)} (${texts[0]})`)
    .join(" or ");
  const text = "no column names the device: state it for all rows";
  return [{ flag: "--device", text: hint === "" ? text : `${text}, or name the column: ${hint}` }];
}

function sensorQuestions(
  used: readonly RowSchema[],
  columns: readonly SampleColumn[],
  context: RoleContext,
): Question[] {
  const { options, lookup, preset } = context;
  const twice = used.find(({ problem }) => problem !== undefined)?.problem;
  if (twice !== undefined) return [{ flag: "--map COLUMN=-", text: twice }];
  const readsNothing = used.every(({ valueAt, sensors }) => valueAt < 0 && sensors.length === 0);
  if (readsNothing) {
    const numbers = columns.filter(({ name }) =>
      used.some(({ unknown }) => unknown.some((column) => column.name === name)),
    );
    const shown = (numbers.length > 0 ? numbers : columns)
      .slice(0, 8)
      .map(({ name }) => JSON.stringify(name));
    return [
      {
        flag: "--map COLUMN=SENSOR",
        text: `no column is called like a sensor: state which is (${shown.join(", ")})`,
      },
    ];
  }
  const open = used.filter(
    ({ valueAt, sensorAt, measurementAt }) => valueAt >= 0 && sensorAt < 0 && measurementAt < 0,
  );
  if (options.sensor !== undefined || open.length === 0) return [];
  const [schema] = open;
  const value = schema!.names[schema!.valueAt]!;
  const device = schema!.deviceAt < 0 ? undefined : context.samples.get(schema!.names[schema!.deviceAt]!);
  if (preset?.isEntities && device?.texts.some((text) => sensorOfEntity(text, lookup) !== undefined))
    return [];
  return [
    {
      flag: "--sensor",
      text: `nothing states which sensor the values in ${JSON.stringify(value)} are of (and --unit, unless they are in its unit)`,
    },
  ];
}

function decimalQuestions(
  used: readonly RowSchema[],
  { options, samples }: RoleContext,
  {
    decimals,
    pointsMayGroup,
  }: { readonly decimals: Map<string, DecimalSign>; readonly pointsMayGroup: boolean },
): Question[] {
  if (options.decimal !== undefined) return [];
  const cells = new Map<string, SensorCell | undefined>(
    used.flatMap(({ names, valueAt, sensors }) => [
      ...(valueAt < 0 ? [] : [[names[valueAt]!, undefined] as const]),
      ...sensors.map((cell) => [cell.name, cell] as const),
    ]),
  );
  const textsOf = (name: string) => samples.get(name)?.texts ?? [];
  const hasUnclearPoints = (name: string) =>
    pointsMayGroup && mayGroupByPoints(textsOf(name)) && fitsGrouped(cells.get(name), textsOf(name));
  const signs = [...cells.keys()].map((name) => ({ name, sign: decimalSignOf(textsOf(name)) }));
  const hasCommas = signs.some(({ sign }) => sign === ",");
  for (const { name, sign } of signs) {
    if (sign === "unclear") continue;
    // A comma elsewhere in the file decides.
    if (!hasUnclearPoints(name)) decimals.set(name, sign);
    else if (hasCommas) decimals.set(name, ",");
  }
  return signs
    .filter(({ name }) => !decimals.has(name))
    .map(({ name }) => {
      const example = textsOf(name).find((text) => /[.,]/.test(text));
      return {
        flag: "--decimal , or --decimal .",
        text: `${JSON.stringify(name)}: ${example} has decimals or thousands`,
      };
    });
}

/** Whether values with thousands are within the bounds of their sensor: 21.345 °C is not 21,345 °C. */
function fitsGrouped(cell: SensorCell | undefined, texts: readonly string[]): boolean {
  if (cell === undefined) return true;
  const { sensor, convert } = cell;
  return texts.every((text) => {
    const value = convert?.(readNumber(text, ",")) ?? Number.NaN;
    return Number.isNaN(value) || (value >= sensor.minimum && value <= sensor.maximum);
  });
}
