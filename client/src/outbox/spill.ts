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
  /** The unit's place among those of its process, by when it was cut. */
  readonly sequence: number;
  readonly readings: number;
  readonly bytes: number;
};

/** Units on disk. Each file keeps the sequence number of its unit, so that a later process sends them in order. */
export type Spill = {
  /** The units that were there when the folder was opened, in their order. */
  leftovers(): readonly SpillFile[];
  /** The largest sequence number of those; 0 if there are none. */
  lastSequence(): number;
  /** Writes the unit. Undefined if the bytes are used up or the disk refuses; then nothing is kept. */
  put(unit: Unit, sequence: number): SpillFile | undefined;
  /** Reads a unit back; it stays on disk until it is removed. Undefined if it cannot be read: it is set aside then. */
  read(file: SpillFile): Unit | undefined;
  /** Deletes a unit that has been delivered. */
  remove(file: SpillFile): void;
  /** Readings on disk. */
  readings(): number;
  /** Bytes on disk. */
  bytes(): number;
  /** Readings in files that could not be read and were set aside. */
  brokenReadings(): number;
};

/**
 * What goes wrong with the folder; the spill goes on without the file. Files that cannot be written are reported
 * once per cause, until one can be written again.
 */
export type SpillProblem = { readonly file: string; readonly cause: unknown; readonly text: string };

/** The problem in words, with the fix where it is known. */
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
 * Keeps each unit in a file of its own in the folder, at most `bytesMax` in all. A file appears whole or
 * not at all (written beside and renamed; not fsynced, so it survives the process, not the machine), and
 * the units of an earlier process are found. A file that cannot be read as a unit is set
 * aside as `*.broken`. Files are small (about 0.2 MB) and go to the page cache, so they are written in
 * place: nothing queues up in memory behind a slow disk.
 *
 * `tag` tells the files of processes apart that share a folder.
 * @throws if the folder cannot be made or listed.
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
        // It may be gone: another process that shares the folder has delivered it.
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

/** Renames a file that cannot be read. On a disk that refuses this it is found again by the next process. */
function setAside(path: string): void {
  try {
    if (existsSync(path)) renameSync(path, `${path}.broken`);
  } catch {
    // Reported already, and its readings are counted.
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

// A unit in a file: for each frame its readings and its bytes as 32-bit numbers, then the bytes.
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
