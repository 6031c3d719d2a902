import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { ExportEnd } from "../formats/table-writer.ts";

/** An export as a file, for clients that request its size and ranges of it. */
export type SpooledExport = {
  readonly size: number;
  /** Identifies the content: another export of the same request has another one. */
  readonly etag: string;
  readonly end: ExportEnd;
  /** Reads at most `length` bytes from `start`. */
  read(start: number, length: number): Promise<Uint8Array>;
};

/** Writes an export into `sink`, which bounds it; returns its coverage. */
export type WriteExport = (
  sink: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
) => Promise<ExportEnd>;

/** Exports that are kept as files for a while. */
export type ExportSpool = AsyncDisposable & {
  /** Returns the file of a request, if it is kept. Each use extends its life. */
  find(key: string): Promise<SpooledExport> | undefined;
  /**
   * Returns the file of a request, and writes it if it is not kept. Writing ends when every caller's signal has
   * aborted.
   * @throws RpcError RESOURCE_EXHAUSTED if all files together become too large; the errors of `write`.
   */
  open(key: string, write: WriteExport, signal: AbortSignal): Promise<SpooledExport>;
};

/** Limits of the files. */
export type SpoolLimits = {
  /** Bytes of all files together. */
  readonly bytesMax: number;
  /** How long a file is kept after its last use, in ms. */
  readonly idleMs: number;
  readonly folder: string;
};

export const spoolDefaults: SpoolLimits = { bytesMax: 2 ** 30, idleMs: 30_000, folder: tmpdir() };

type Entry = {
  readonly file: Promise<SpooledExport>;
  readonly stop: AbortController;
  readonly closed: Promise<void>;
  waiting: number;
  isWritten: boolean;
  timer?: NodeJS.Timeout;
};

/** Creates an empty spool. Open files are unlinked, so that a crash leaves none behind. */
export function createExportSpool(limits: Partial<SpoolLimits> = {}): ExportSpool {
  const { bytesMax, idleMs, folder } = { ...spoolDefaults, ...limits };
  const entries = new Map<string, Entry>();
  let bytes = 0;
  let isClosed = false;

  async function openFile(): Promise<FileHandle & { readonly path?: string }> {
    const path = join(folder, `devicemesh-export-${randomBytes(12).toString("hex")}`);
    const handle = await open(path, "wx+", 0o600);
    await rm(path, { force: true });
    return handle;
  }

  async function writeFile(
    handle: FileHandle,
    write: WriteExport,
    entry: { size: number },
    signal: AbortSignal,
  ) {
    const end = await write(async (part) => {
      signal.throwIfAborted();
      bytes += part.length;
      entry.size += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      await handle.write(part);
    }, signal);
    const { size } = entry;
    const etag = `"${randomBytes(12).toString("hex")}"`;
    return {
      size,
      etag,
      end,
      async read(start: number, length: number) {
        const buffer = Buffer.allocUnsafe(Math.max(Math.min(length, size - start), 0));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
        return buffer.subarray(0, bytesRead);
      },
    };
  }

  function create(key: string, write: WriteExport): Entry {
    const stop = new AbortController();
    const place = { size: 0 };
    const opened = openFile();
    const ended = Promise.withResolvers<void>();
    const file = opened.then((handle) => writeFile(handle, write, place, stop.signal));
    const closed = (async () => {
      await Promise.allSettled([file]);
      await ended.promise;
      bytes -= place.size;
      await opened.then((handle) => handle.close()).catch(() => {});
    })();
    const entry: Entry = { file, stop, closed, waiting: 0, isWritten: false };
    stop.signal.addEventListener("abort", () => {
      if (entries.get(key) === entry) entries.delete(key);
      clearTimeout(entry.timer);
      ended.resolve();
    });
    file.then(
      () => {
        entry.isWritten = true;
      },
      () => stop.abort(),
    );
    entries.set(key, entry);
    return entry;
  }

  function keep(entry: Entry): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => entry.stop.abort(), idleMs).unref();
  }

  async function use(entry: Entry, signal: AbortSignal): Promise<SpooledExport> {
    signal.throwIfAborted();
    entry.waiting++;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([entry.file, aborted]);
    } finally {
      signal.removeEventListener("abort", leave);
      entry.waiting--;
      if (entry.isWritten) keep(entry);
      else if (entry.waiting === 0) entry.stop.abort(new Error("no client waits for the export"));
    }
  }

  return {
    find(key) {
      const entry = entries.get(key);
      return entry && use(entry, new AbortController().signal);
    },
    open(key, write, signal) {
      if (isClosed) return Promise.reject(new Error("the spool is closed"));
      return use(entries.get(key) ?? create(key, write), signal);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      const all = [...entries.values()];
      for (const { stop } of all) stop.abort(new Error("the server is stopping"));
      await Promise.all(all.map(({ closed }) => closed));
    },
  };
}

function tooLarge(bytesMax: number) {
  return resourceExhausted({
    subject: "bytes of exports that are read in parts",
    description: `at most ${Math.floor(bytesMax / 2 ** 20)} MiB are kept: download the whole file instead, or choose a shorter timeframe or a filter`,
  });
}
