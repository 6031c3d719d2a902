/** The most sensors of a catalog, those that are not listed included. */
export const catalogSensorsMax = 60_000;

/** A name as `find` compares it; two sensors may not share one. */
export function foldedName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_.-]+/g, "_");
}
