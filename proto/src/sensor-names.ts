/** The maximum number of sensors in a catalog, unlisted sensors included. */
export const catalogSensorsMax = 60_000;

/** The normalized form of a name that `find` compares; no two sensors may share one. */
export function foldedName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_.-]+/g, "_");
}
