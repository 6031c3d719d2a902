import { createReadStream } from "node:fs";
import { glob, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** A recording to read: a file, standard input or an upload. */
export type Input = {
  /** The name shown to users. */
  readonly name: string;
  /** The stored size in bytes; undefined if unknown. */
  readonly bytesTotal: number | undefined;
  /** Returns the bytes, from the first. An input that is `once` can be opened once. */
  open(): AsyncIterable<Uint8Array>;
  readonly isOnce: boolean;
};

/** An input is missing or unreadable; the message names it. */
export class InputError extends Error {
  override name = "InputError";
}

/** Returns the input of a stream that can be read once, such as standard input. */
export function streamInput(name: string, stream: AsyncIterable<Uint8Array>, bytesTotal?: number): Input {
  return { name, bytesTotal, open: () => stream, isOnce: true };
}

/** Returns the input of a file. @throws InputError if it does not exist. */
export async function fileInput(path: string): Promise<Input> {
  const stats = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (!stats.isFile() && !stats.isFIFO() && !stats.isCharacterDevice())
    throw new InputError(`${path} is not a file`);
  return {
    name: path,
    bytesTotal: stats.isFile() ? stats.size : undefined,
    open: () => chunksOf(path),
    isOnce: !stats.isFile(),
  };
}

/**
 * Returns the inputs that these arguments name, in order: files, all files in folders (sorted, without hidden ones and
 * sub-folders), globs (sorted), `-` for standard input.
 * @throws InputError if a name matches nothing.
 */
export async function findInputs(names: readonly string[], stdin: Readable): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const name of names) {
    if (name === "-") {
      if (inputs.some((input) => input.name === "standard input")) throw new InputError("- is given twice");
      inputs.push(streamInput("standard input", stdin));
      continue;
    }
    for (const path of await pathsOf(name)) inputs.push(await fileInput(path));
  }
  return inputs;
}

async function pathsOf(name: string): Promise<string[]> {
  const stats = await stat(name).catch(() => undefined);
  if (stats?.isDirectory()) {
    const entries = await readdir(name, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.name.startsWith(".") && entry.isFile());
    if (files.length === 0) throw new InputError(`${name} is a folder without files`);
    return files.map((entry) => join(name, entry.name)).sort();
  }
  if (stats !== undefined || !/[*?[{]/.test(name)) return [name];
  const paths: string[] = [];
  for await (const path of glob(name)) if ((await stat(path)).isFile()) paths.push(path);
  if (paths.length === 0) throw new InputError(`${name} matches no file`);
  return paths.sort();
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): InputError {
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "reading it is not permitted",
    EISDIR: "it is a folder",
  };
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return new InputError(`${path} cannot be read: ${reasons[code] ?? message}`, { cause });
}
