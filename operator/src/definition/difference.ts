/** One setting of a thing that is not as it should be. */
export type Change = { readonly setting: string; readonly from: string; readonly to: string };

/**
 * How a thing differs from what it should be.
 * - same: it does not
 * - create: it is not there
 * - change: it can be changed in place
 * - left: it differs, the mesh works with it, and only a person can change it
 * - refused: it differs, and data that lives depends on it
 */
export type Difference =
  | { readonly kind: "same" }
  | { readonly kind: "create" }
  | { readonly kind: "change"; readonly changes: readonly Change[] }
  | { readonly kind: "left" | "refused"; readonly text: string };

/** A part of the mesh as it is found. `apply` makes it what it should be; call it for "create" and "change". */
export type Part = {
  /** What it is, as a person calls it: `topic processed_messages`. */
  readonly what: string;
  readonly difference: Difference;
  apply(): Promise<void>;
};

/** The part of a mesh that remembers how far readings and windows were ever deleted. */
export const retentionMarks = "retention marks";

/** The mesh cannot become what is asked for without losing data; nothing was changed. The text names the fix. */
export class MeshRefusedError extends Error {
  constructor(refusals: readonly string[]) {
    super(refusals.join("\n"));
    this.name = "MeshRefusedError";
  }
}

/** The values of `wanted` that `found` does not have, as changes. What is only in `found` does not count. */
export function changedSettings(
  found: Readonly<Record<string, string | undefined>>,
  wanted: Readonly<Record<string, string>>,
): Change[] {
  return Object.entries(wanted)
    .filter(([setting, to]) => found[setting] !== to)
    .map(([setting, to]) => ({ setting, from: found[setting] ?? "(not set)", to }));
}

/** "same" without changes, else "change". */
export function differenceOf(changes: readonly Change[]): Difference {
  return changes.length === 0 ? { kind: "same" } : { kind: "change", changes };
}

/** Whether anything of the mesh is not as it should be. */
export function anyDiffers(parts: readonly Part[]): boolean {
  return parts.some(({ difference }) => difference.kind !== "same");
}

/** What a person reads: a line for each part, and one more for each setting that would change. */
export function planLines(parts: readonly Part[]): string[] {
  return parts.flatMap(({ what, difference }) => linesOf(what, difference));
}

function linesOf(what: string, difference: Difference): string[] {
  switch (difference.kind) {
    case "same":
      return [`= ${what}`];
    case "create":
      return [`+ ${what}: would be created`];
    case "change":
      return [
        `~ ${what}: would be changed`,
        ...difference.changes.map(({ setting, from, to }) => `    ${setting}: ${from} -> ${to}`),
      ];
    case "left":
      return [`! ${what}: ${difference.text}`];
    case "refused":
      return [`x ${what}: ${difference.text}`];
  }
}
