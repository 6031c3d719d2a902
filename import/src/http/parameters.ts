import type { SensorLookup } from "../inspect/sensor-lookup.ts";
import { readStated, type StatedOptions, type StatedTexts } from "../inspect/stated-options.ts";
import { dateOrders } from "../time/dates.ts";

/** The parameters of a request. */
export type ImportRequest = {
  /** The name of the upload in reports. */
  readonly name: string;
  readonly isDryRun: boolean;
  readonly stated: StatedOptions;
};

const single = ["name", "dry_run", "zone", "order", "device", "sensor", "decimal"] as const;
const repeatable = ["unit", "missing", "map"] as const;

/** Reads the parameters of a request: the flags of the command without dashes; unknown ones are problems. */
export function readParameters(parameters: URLSearchParams, lookup: SensorLookup): ImportRequest {
  const problems: string[] = [];
  const known: readonly string[] = [...single, ...repeatable];
  for (const name of new Set(parameters.keys())) {
    if (!known.includes(name))
      problems.push(`${name}: there is no such parameter; there are ${known.join(", ")}`);
  }
  const one = (name: (typeof single)[number]): string | undefined => {
    const values = parameters.getAll(name);
    if (values.length > 1) problems.push(`${name}: given twice`);
    return values[0] === "" ? undefined : values[0];
  };
  const choice = <const Choice extends string>(
    name: "order" | "decimal" | "dry_run",
    choices: readonly Choice[],
  ) => {
    const text = one(name);
    const found = choices.find((candidate) => candidate === text);
    if (text !== undefined && found === undefined)
      problems.push(`${name}: ${JSON.stringify(text)} is not one of ${choices.join(" ")}`);
    return found;
  };
  const texts: StatedTexts = {
    zone: one("zone"),
    order: choice("order", dateOrders),
    device: one("device"),
    sensor: one("sensor"),
    decimal: choice("decimal", [",", "."]),
    unit: parameters.getAll("unit"),
    missing: parameters.getAll("missing"),
    map: parameters.getAll("map"),
  };
  const isDryRun = choice("dry_run", ["true", "false", "1", "0"]);
  const stated = readStated(texts, lookup);
  const all = [
    ...problems,
    ...(stated.kind === "problems" ? stated.problems.map((text) => text.replace(/^--/, "")) : []),
  ];
  return {
    name: one("name") ?? "upload",
    isDryRun: isDryRun === "true" || isDryRun === "1",
    stated: all.length > 0 ? { kind: "problems", problems: all } : stated,
  };
}
