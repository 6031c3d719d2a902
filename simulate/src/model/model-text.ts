import { defaultLevels } from "@devicemesh/proto";
import { tableOf } from "../report/table.ts";
import { type CapacityRequest, needsOf, partialsPerReading } from "./capacity.ts";
import { type Constant, constants } from "./constants.ts";

/** The two fleets of docs/scale.md: a million readings a second of few and of many devices. */
export const referenceFleets: readonly (readonly [string, CapacityRequest])[] = (
  [
    ["1,000,000 devices, every 1 s", 1_000_000, 1000],
    ["10,000,000 devices, every 10 s", 10_000_000, 10_000],
  ] as const
).map(([name, devices, intervalMs]) => [
  name,
  {
    devices,
    intervalMs,
    lateShare: 0.02,
    lateMaxMs: 1_200_000,
    duplicateShare: 0.005,
    keepLogDays: 7,
    keepRawDays: 30,
    keepFineDays: 30,
  },
]);

/** Writes the constants as a table. */
export function constantsText(): string {
  const rows = Object.values<Constant>(constants).map(({ what, value, unit, basis, source }) => [
    what,
    `${number(value)}${unit && ` ${unit}`}`,
    basis,
    source,
  ]);
  return tableOf(["constant", "value", "basis", "source"], rows, { left: [0, 2, 3] });
}

/** Writes what these fleets need, a column for each. */
export function needsText(fleets: typeof referenceFleets): string {
  const perReading = fleets.map(([, request]) => partialsPerReading(request, defaultLevels));
  const columns = fleets.map(([, request], fleet) => needsOf(request, perReading[fleet] ?? []));
  const rows = (columns[0] ?? []).map(({ part, what, unit, isExtrapolated }, row) => [
    part,
    what,
    ...columns.map((needs) => `${number(needs[row]?.value ?? 0)}${unit && ` ${unit}`}`),
    isExtrapolated ? "extrapolated" : "",
  ]);
  const documents = defaultLevels.map(({ windowMs }, level) => [
    "documents",
    `of windows of ${windowMs / 1000} s, for each reading`,
    ...perReading.map((shares) => number(shares[level] ?? 0)),
    "",
  ]);
  const head = ["part", "need", ...fleets.map(([name]) => name), ""];
  return tableOf(head, [...documents, ...rows], { left: [0, 1, head.length - 1] });
}

function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}
