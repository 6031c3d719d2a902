import { listOf } from "@devicemesh/kit/settings/list-of";

/** The faults that the lab can cause, in the order of `all`. */
export const faultNames = [
  "unchanged",
  "kill",
  "cut",
  "drain",
  "scale",
  "rotate",
  "update",
  "bad-update",
  "restart",
  "again",
] as const;

export type FaultName = (typeof faultNames)[number];

/** Parses a list of faults; returns its problem if it is not valid. */
export function chosenFaults(text: string): readonly FaultName[] | string {
  if (text === "all") return faultNames;
  const names = listOf(text);
  const unknown = names.find((name) => !faultNames.includes(name as FaultName));
  return unknown === undefined
    ? (names as FaultName[])
    : `--faults does not know ${unknown}: ${faultNames.join(", ")}, or all`;
}
