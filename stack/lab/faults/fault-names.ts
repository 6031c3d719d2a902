/** The faults that the lab can cause, in the order in which `all` does. */
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

/** The faults of a list, or what is wrong with it. */
export function chosenFaults(text: string): readonly FaultName[] | string {
  if (text === "all") return faultNames;
  const names = text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  const unknown = names.find((name) => !faultNames.includes(name as FaultName));
  return unknown === undefined
    ? (names as FaultName[])
    : `--faults does not know ${unknown}: ${faultNames.join(", ")}, or all`;
}
