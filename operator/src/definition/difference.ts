/** One setting that differs from its desired value. */
export type Change = { readonly setting: string; readonly from: string; readonly to: string };

/**
 * The difference of a part from its desired state.
 * - same: none
 * - create: the part is missing
 * - change: the part can be changed in place
 * - left: it differs, the mesh works with it, and only a user can change it
 * - refused: it differs, and existing data depends on it
 */
export type Difference =
  | { readonly kind: "same" }
  | { readonly kind: "create" }
  | { readonly kind: "change"; readonly changes: readonly Change[] }
  | { readonly kind: "left" | "refused"; readonly text: string };

/**
 * A part of the mesh in its current state. `apply` brings it into its desired state; call it for "create" and "change".
 */
export type Part = {
  /** The name of the part for users: `topic processed_messages`. */
  readonly what: string;
  readonly difference: Difference;
  apply(): Promise<void>;
};

/** The part of a mesh that records how far readings and windows were ever deleted. */
export const retentionMarks = "retention marks";

/** The mesh cannot get its desired state without losing data; nothing was changed. The message names the solution. */
export class MeshRefusedError extends Error {
  constructor(refusals: readonly string[]) {
    super(refusals.join("\n"));
    this.name = "MeshRefusedError";
  }
}

/** Returns the values of `wanted` that `found` does not have, as changes. Ignores values that only `found` has. */
export function changedSettings(
  found: Readonly<Record<string, string | undefined>>,
  wanted: Readonly<Record<string, string>>,
): Change[] {
  return Object.entries(wanted)
    .filter(([setting, to]) => found[setting] !== to)
    .map(([setting, to]) => ({ setting, from: found[setting] ?? "(not set)", to }));
}

/** "same" without changes, otherwise "change". */
export function differenceOf(changes: readonly Change[]): Difference {
  return changes.length === 0 ? { kind: "same" } : { kind: "change", changes };
}

/** Whether any part of the mesh differs from its desired state. */
export function anyDiffers(parts: readonly Part[]): boolean {
  return parts.some(({ difference }) => difference.kind !== "same");
}

/** Formats the plan for users: a line for each part, and one more for each setting that would change. */
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
