import { isPattern } from "../../state/selection.ts";

/** The text of a search in the form of the contract: a pattern if it has `*` or `?`, else a part of a device id. Pure. */
export function searchOf(text: string) {
  const value = text.trim();
  if (value === "") return { case: undefined };
  return { case: isPattern(value) ? ("deviceGlob" as const) : ("deviceContains" as const), value };
}
