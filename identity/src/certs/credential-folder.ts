import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A folder of credentials: private files for their owner alone, and no file that is half written. */
export type CredentialFolder = {
  /** What a file says; undefined if there is none. */
  read(name: string): string | undefined;
  /** For everyone to read. */
  writePublic(name: string, text: string): void;
  /** For the owner alone. */
  writePrivate(name: string, text: string): void;
};

/** Opens a folder, and makes it if it is not there, for its owner alone. */
export function openCredentialFolder(path: string): CredentialFolder {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });

  function write(name: string, text: string, mode: number): void {
    const unfinished = join(path, `${name}.new`);
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, text, { mode, flag: "wx" });
    // What it was made with is less than that where the user's mask says so.
    chmodSync(unfinished, mode);
    renameSync(unfinished, join(path, name));
  }
  return {
    read(name) {
      const file = join(path, name);
      return existsSync(file) ? readFileSync(file, "utf8") : undefined;
    },
    writePublic: (name, text) => write(name, text, 0o644),
    writePrivate: (name, text) => write(name, text, 0o600),
  };
}
