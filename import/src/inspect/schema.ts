import { isNumeric } from "../convert/numbers.ts";
import { airSensors, plainName, sensorOfColumn, sensorOfName, unitInName } from "./column-name.ts";
import {
  type ColumnRole,
  deviceRank,
  otherRole,
  sensorNameRank,
  timeRank,
  unitRank,
  valueRank,
} from "./column-roles.ts";
import type { ImportOptions } from "./options.ts";
import type { Preset } from "./preset.ts";
import type { SampleColumn } from "./sample-columns.ts";
import type { SensorLookup } from "./sensor-lookup.ts";
import type { TimePlan } from "./time-plan.ts";

/** The knowledge about a file when the roles of its columns are determined. */
export type RoleContext = {
  readonly options: ImportOptions;
  readonly lookup: SensorLookup;
  readonly preset: Preset | undefined;
  readonly times: TimePlan | undefined;
  /** Columns with times or row numbers. */
  readonly excluded: ReadonlySet<string>;
  readonly samples: ReadonlyMap<string, SampleColumn>;
  /** Returns the unit of a column that a row below the header states. */
  unitOfColumn(name: string): string | undefined;
};

/** Returns the role that a user gave to a column: by its exact name, then its name in any case, then its position. */
export function statedTarget(
  columns: ReadonlyMap<string, string> | undefined,
  name: string,
  at: number,
): string | undefined {
  if (columns === undefined) return undefined;
  const lower = name.toLowerCase();
  const inAnyCase = () => [...columns].find(([column]) => column.toLowerCase() === lower)?.[1];
  return columns.get(name) ?? inAnyCase() ?? columns.get(`#${at + 1}`);
}

/** Returns the role of each column, in order. */
export function rolesOf(names: readonly string[], context: RoleContext): ColumnRole[] {
  const { options, lookup, preset, times, excluded, samples } = context;
  const roles = names.map((name, at) => statedRole(name, statedTarget(options.columns, name, at), context));
  const free = (at: number) => roles[at] === undefined;
  const give = (at: number, role: ColumnRole) => {
    roles[at] = role;
  };
  const bestOf = (
    rank: (name: string) => number | undefined,
    fits: (name: string) => boolean = () => true,
  ) => {
    const ranked = names
      .map((name, at) => ({ at, rank: rank(name) }))
      .filter(({ at, rank: given }) => given !== undefined && free(at) && fits(names[at]!));
    return ranked.sort((a, b) => a.rank! - b.rank!)[0]?.at;
  };
  const has = (kind: ColumnRole["kind"]) => roles.some((role) => role?.kind === kind);

  for (const [at, name] of names.entries()) {
    if (free(at) && (name === times?.column || name === times?.clockColumn)) give(at, { kind: "time" });
    else if (free(at) && (excluded.has(name) || preset?.unread?.includes(plainName(name))))
      give(at, { kind: "unread" });
  }
  if (!has("device") && options.device === undefined) {
    const device = bestOf(deviceRank);
    if (device !== undefined) give(device, { kind: "device" });
  }
  if (!has("value")) {
    const value =
      preset?.value !== undefined
        ? names.indexOf(preset.value)
        : bestOf(valueRank, (name) => isValues(samples.get(name)));
    const only =
      value === undefined && options.sensor !== undefined && !has("sensor")
        ? onlyNumbers(names, roles, samples)
        : value;
    if (only !== undefined && only >= 0 && free(only)) give(only, { kind: "value" });
  }
  if (has("value")) {
    if (options.sensor === undefined && !has("sensor-name")) {
      const isOfSensors = (name: string) =>
        name === "_field" ||
        (samples.get(name)?.texts.some((text) => sensorOfName(text, lookup) !== undefined) ?? false);
      const sensor = bestOf(sensorNameRank, isOfSensors);
      if (sensor !== undefined) give(sensor, { kind: "sensor-name" });
    }
    const unit = has("unit") ? undefined : bestOf(unitRank);
    if (unit !== undefined) give(unit, { kind: "unit" });
  }
  return names.map((name, at) => roles[at] ?? remainingRole(name, context));
}

function statedRole(name: string, target: string | undefined, context: RoleContext): ColumnRole | undefined {
  switch (target) {
    case undefined:
      return undefined;
    case "-":
      return { kind: "unread" };
    case "time":
    case "device":
    case "value":
    case "unit":
      return { kind: target };
    case "sensor":
      return { kind: "sensor-name" };
    default: {
      const sensor = sensorOfName(target, context.lookup);
      if (sensor === undefined) return { kind: "unread" };
      return { kind: "sensor", sensor, unit: context.unitOfColumn(name) ?? unitInName(name, sensor) };
    }
  }
}

function remainingRole(name: string, context: RoleContext): ColumnRole {
  // A second id of the device, or a second time.
  if (deviceRank(name) !== undefined || timeRank(name) !== undefined) return { kind: "unread" };
  const known = context.preset?.sensors?.[plainName(name)];
  const sensor = known === undefined ? undefined : context.lookup.find(known);
  if (sensor !== undefined) return { kind: "sensor", sensor, unit: undefined };
  if (unclearLetters.has(plainName(name)) && !hasAirSensor(context, name)) return { kind: "unknown" };
  const role = otherRole(name, context.lookup);
  return role.kind === "sensor" ? { ...role, unit: role.unit ?? context.unitOfColumn(name) } : role;
}

/** `p` is also power, and `h` hours or a height. */
const unclearLetters = new Set(["p", "h"]);

/** Whether another column of the file has the name of a sensor of the air. */
function hasAirSensor({ samples, lookup }: RoleContext, name: string): boolean {
  return [...samples.keys()].some((other) => {
    const found = other === name ? undefined : sensorOfColumn(other, lookup);
    return (
      found !== undefined && !unclearLetters.has(plainName(other)) && airSensors.has(found.sensor.sensor)
    );
  });
}

/** Whether a column called `value` or `state` contains numbers or states at all. */
function isValues(column: SampleColumn | undefined): boolean {
  return column === undefined || column.texts.some((text) => /\d|^(on|off|true|false)$/i.test(text));
}

/** Returns the only column of numbers without a role; undefined if there are none or several. */
function onlyNumbers(
  names: readonly string[],
  roles: readonly (ColumnRole | undefined)[],
  samples: ReadonlyMap<string, SampleColumn>,
): number | undefined {
  const found = names.flatMap((name, at) => {
    const texts = samples.get(name)?.texts ?? [];
    // An id or a time is not a value, even if it looks like one.
    if (deviceRank(name) !== undefined || timeRank(name) !== undefined) return [];
    return roles[at] === undefined && texts.length > 0 && texts.filter(isNumeric).length * 2 >= texts.length
      ? [at]
      : [];
  });
  return found.length === 1 ? found[0] : undefined;
}
