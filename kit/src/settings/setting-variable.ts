import { type SettingFile, shownPath } from "./setting-file.ts";
import type { Setting } from "./setting-schema.ts";

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment's value for a setting: none, a text and its name for errors, or a problem. */
export type VariableText =
  | { readonly kind: "none" }
  | {
      readonly kind: "text";
      readonly text: string;
      /** The name of the variable. */
      readonly from: string;
      /** Replaces the text in messages if it must not be shown; undefined if it may be. */
      readonly shownAs: string | undefined;
    }
  | { readonly kind: "problem"; readonly problem: string };

/** Returns the variable that names a file with the setting's value: `X_FILE` for `X`. */
export function fileVariable(env: string): string {
  return `${env}_FILE`;
}

/**
 * Finds a setting's text in its variable, or in the file that its `_FILE` variable names. An empty variable counts as
 * unset.
 */
export function readVariable(
  setting: Setting,
  env: Environment,
  readFile: (path: string) => SettingFile,
): VariableText {
  const text = env[setting.env] ?? "";
  const from = fileVariable(setting.env);
  const path = env[from] ?? "";
  if (path === "") {
    return text === "" ? { kind: "none" } : { kind: "text", text, from: setting.env, shownAs: undefined };
  }
  if (text !== "") {
    return { kind: "problem", problem: `${setting.env} and ${from} are both given: unset one of them` };
  }
  const file = readFile(path);
  return file.kind === "problem"
    ? { kind: "problem", problem: `${from}: ${file.problem}` }
    : { kind: "text", text: file.text, from, shownAs: `what ${shownPath(path)} holds` };
}
