import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { unitOf } from "../delivery/delivery.ts";
import type { Frame } from "../delivery/frame-encoder.ts";
import type { Unit } from "../delivery/unit.ts";

/** A unit on disk. */
export type SpillFile = {
  readonly name: string;
  /** The unit's sequence number among those of its process. */
  readonly sequence: number;
  readonly readings: number;
  readonly bytes: number;
};

/** The units on disk. Each file has the sequence number of its unit, so that a later process sends them in order. */
export type Spill = {
  /** The units that existed when the folder was opened, in order. */
  leftovers(): readonly SpillFile[];
  /** The largest sequence number of those; 0 if there are none. */
  lastSequence(): number;
  /** Writes the unit. Returns undefined if the limit is reached or the disk rejects the write; then nothing is kept. */
  put(unit: Unit, sequence: number): SpillFile | undefined;
  /**
   * Reads a unit back; it stays on disk until it is removed. Returns undefined if it is unreadable: it is set aside
   * then.
   */
  read(file: SpillFile): Unit | undefined;
  /** Deletes a delivered unit. */
  remove(file: SpillFile): void;
  /** Number of readings on disk. */
  readings(): number;
  /** Number of bytes on disk. */
  bytes(): number;
  /** Number of readings in unreadable files that were set aside. */
  brokenReadings(): number;
};

/**
 * Problems of the folder; the spill continues without the file. Failed writes are reported once per cause, until a
 * write succeeds.
 */
export type SpillProblem = { readonly file: string; readonly cause: unknown; readonly text: string };

/** The problem as text, with the solution if it is known. */
function problemText(folder: string, file: string, cause: unknown): string {
  const code = codeOf(cause);
  const consequence =
    "readings that are not acknowledged stay in memory, and new ones are dropped when that is full";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return `spill folder ${folder}: disk full; ${consequence}: free disk space`;
  }
  if (code === "EROFS" || code === "EACCES") {
    return `spill folder ${folder}: not writable; ${consequence}: make it writable`;
  }
  return `spill file ${file}: ${String(cause)}`;
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}

/**
 * Keeps each unit in a separate file of the folder, at most `bytesMax` in total. A file appears completely or not at
 * all (written under a temporary name and renamed; without fsync, so it survives the process, not the machine), and the
 * units of an earlier process are found. A file that is not a valid unit is set aside as `*.broken`. Files are small
 * (about 0.2 MB) and go to the page cache, so writes are synchronous: nothing queues up in memory behind a slow disk.
 *
 * `tag` distinguishes the files of processes that share a folder.
 * @throws if the folder cannot be created or listed.
 */
export function openSpill({
  folder,
  bytesMax = 1024 ** 3,
  tag,
  onProblem,
}: {
  folder: string;
  bytesMax?: number;
  tag: string;
  onProblem(problem: SpillProblem): void;
}): Spill {
  mkdirSync(folder, { recursive: true });
  const files = findFiles(folder);
  let readings = files.reduce((sum, file) => sum + file.readings, 0);
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  let brokenReadings = 0;
  let failingWith: string | undefined;

  function report(file: string, cause: unknown): void {
    onProblem({ file, cause, text: problemText(folder, file, cause) });
  }

  function forget(file: SpillFile): void {
    readings -= file.readings;
    bytes -= file.bytes;
  }

  return {
    leftovers: () => files,
    lastSequence: () => files.at(-1)?.sequence ?? 0,
    put(unit, sequence) {
      const encoded = encodeUnit(unit);
      if (bytes + encoded.length > bytesMax) return undefined;
      const name = `${String(sequence).padStart(12, "0")}-${unit.readings}-${tag}${extension}`;
      const partial = join(folder, `${name}.partial`);
      try {
        writeFileSync(partial, encoded);
        renameSync(partial, join(folder, name));
      } catch (cause) {
        const code = codeOf(cause) ?? String(cause);
        if (failingWith !== code) report(name, cause);
        failingWith = code;
        rmSync(partial, { force: true });
        return undefined;
      }
      failingWith = undefined;
      readings += unit.readings;
      bytes += encoded.length;
      return { name, sequence, readings: unit.readings, bytes: encoded.length };
    },
    read(file) {
      const path = join(folder, file.name);
      try {
        const unit = decodeUnit(readFileSync(path));
        if (unit.readings !== file.readings)
          throw new Error("it does not hold the number of readings in its name");
        return unit;
      } catch (cause) {
        report(file.name, cause);
        forget(file);
        brokenReadings += file.readings;
        // The file may be gone: another process that shares the folder has delivered it.
        setAside(path);
        return undefined;
      }
    },
    remove(file) {
      forget(file);
      rmSync(join(folder, file.name), { force: true });
    },
    readings: () => readings,
    bytes: () => bytes,
    brokenReadings: () => brokenReadings,
  };
}

/** Renames an unreadable file. If the disk rejects this, the next process finds the file again. */
function setAside(path: string): void {
  try {
    if (existsSync(path)) renameSync(path, `${path}.broken`);
  } catch {
    // The failure is already reported, and the readings are counted.
  }
}

const extension = ".unit";

function findFiles(folder: string): SpillFile[] {
  const files: SpillFile[] = [];
  for (const name of readdirSync(folder)) {
    const parts = /^(\d{12,})-(\d+)-.*\.unit$/.exec(name);
    if (parts === null) continue;
    const { size } = statSync(join(folder, name));
    files.push({ name, sequence: Number(parts[1]), readings: Number(parts[2]), bytes: size });
  }
  return files.sort((a, b) => a.sequence - b.sequence);
}

// The format of a unit in a file: for each frame its number of readings and of bytes as 32-bit numbers, then the bytes.
function encodeUnit(unit: Unit): Buffer {
  const parts: Buffer[] = [];
  for (const frame of unit.frames) {
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(frame.readings, 0);
    head.writeUInt32LE(frame.bytes.length, 4);
    parts.push(head, frame.bytes);
  }
  return Buffer.concat(parts);
}

function decodeUnit(encoded: Buffer): Unit {
  const frames: Frame[] = [];
  for (let at = 0; at < encoded.length; ) {
    const readings = encoded.readUInt32LE(at);
    const end = at + headBytes + encoded.readUInt32LE(at + 4);
    if (end > encoded.length) throw new Error("it ends in the middle of a frame");
    frames.push({ readings, bytes: encoded.subarray(at + headBytes, end) });
    at = end;
  }
  return unitOf(frames);
}

const headBytes = 8;
