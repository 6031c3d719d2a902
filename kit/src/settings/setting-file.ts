import { isAbsolute } from "node:path";
import { readAtMost } from "@devicemesh/proto/read-at-most";

/** Maximum size of a file with the value of a setting, in bytes: a secret is short. */
export const settingFileBytesMax = 64 * 1024;

/** The content of a file, or why it is invalid. The reason never contains any of the content. */
export type SettingFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "problem"; readonly problem: string };

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
};

/** Reads the file with a setting's value: UTF-8, at most `settingFileBytesMax`, without one newline at its end. */
export function readSettingFile(path: string): SettingFile {
  let bytes: Uint8Array;
  try {
    bytes = readAtMost(path, settingFileBytesMax + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    return problem(`cannot read ${shownPath(path)}: ${reasons[code] ?? code}`);
  }
  if (bytes.length > settingFileBytesMax) {
    return problem(
      `${shownPath(path)} holds more than ${settingFileBytesMax / 1024} KiB, so it is not the value of a setting`,
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { kind: "text", text: text.replace(/\r?\n$/, "") };
  } catch {
    return problem(`${shownPath(path)} is not text in UTF-8`);
  }
}

/**
 * Returns the name of the file for an error: a text that is not a plain path may be the secret itself, given in the
 * wrong place.
 */
export function shownPath(path: string): string {
  return isAbsolute(path) || path.startsWith(".") ? path : "the file of that name";
}

function problem(text: string): SettingFile {
  return { kind: "problem", problem: text };
}
