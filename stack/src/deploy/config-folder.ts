import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A file of the folder that differs from its rendered form, and the difference. */
export type StaleFile = {
  readonly file: string;
  readonly how: "missing" | "different" | "no longer rendered";
};

/** Compares a folder with its expected contents, by name. */
export function staleFiles(folder: string, files: ReadonlyMap<string, string>): readonly StaleFile[] {
  const found = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    : [];
  const wrong = [...files].flatMap(([file, text]): StaleFile[] => {
    if (!found.includes(file)) return [{ file, how: "missing" }];
    return readFileSync(join(folder, file), "utf8") === text ? [] : [{ file, how: "different" }];
  });
  const surplus = found
    .filter((file) => !files.has(file))
    .map((file): StaleFile => ({ file, how: "no longer rendered" }));
  return [...wrong, ...surplus];
}

/** Makes the folder contain exactly these files; returns what was changed. */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): readonly StaleFile[] {
  const stale = staleFiles(folder, files);
  for (const { file } of stale) {
    const path = join(folder, file);
    const text = files.get(file);
    mkdirSync(dirname(path), { recursive: true });
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
  }
  return stale;
}
