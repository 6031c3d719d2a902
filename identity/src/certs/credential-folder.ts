import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A folder of credentials: private files are readable only by their owner, and writes are atomic. */
export type CredentialFolder = {
  /** Returns the contents of a file; undefined if it does not exist. */
  read(name: string): string | undefined;
  /** Writes a file that everyone may read. */
  writePublic(name: string, text: string): void;
  /** Writes a file that only the owner may read. */
  writePrivate(name: string, text: string): void;
};

/** Opens a folder, and creates it if it does not exist, for its owner alone. */
export function openCredentialFolder(path: string): CredentialFolder {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o700 });

  function write(name: string, text: string, mode: number): void {
    const unfinished = join(path, `${name}.new`);
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, text, { mode, flag: "wx" });
    // The user's mask may have removed more permissions than intended.
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
