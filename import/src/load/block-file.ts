import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary file of blocks of one size, made when the first block is written. It has no name, so it ends with the process. */
export type BlockFile = {
  /** Writes a block and returns its place; undefined if the disk does not take it. */
  write(block: Uint8Array): number | undefined;
  /** Reads the block of that place. */
  read(place: number, into: Uint8Array): void;
  close(): void;
};

/** A file in `folder`, where the system keeps temporary files by default (TMPDIR). */
export function createBlockFile({
  blockBytes,
  folder = tmpdir(),
}: {
  readonly blockBytes: number;
  readonly folder?: string | undefined;
}): BlockFile {
  const path = join(folder, `device-mesh-import-${randomBytes(8).toString("hex")}`);
  let descriptor: number | undefined;
  let blocks = 0;
  function open(): number {
    const opened = openSync(path, "wx+", 0o600);
    // An open file lives on without its name; where the system does not allow that, it is removed when it is closed.
    remove();
    return opened;
  }

  function remove(): void {
    try {
      rmSync(path, { force: true });
    } catch {
      // In use.
    }
  }

  return {
    write(block) {
      try {
        descriptor ??= open();
        if (writeSync(descriptor, block, 0, blockBytes, blocks * blockBytes) < blockBytes) return undefined;
      } catch {
        return undefined;
      }
      blocks += 1;
      return blocks - 1;
    },
    read(place, into) {
      readSync(descriptor!, into, 0, blockBytes, place * blockBytes);
    },
    close() {
      if (descriptor === undefined) return;
      closeSync(descriptor);
      descriptor = undefined;
      remove();
    },
  };
}
