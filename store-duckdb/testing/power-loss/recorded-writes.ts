import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** One file operation, in the format of record-writes.c; `file` is relative to the folder. */
export type FileOperation = {
  readonly kind: "create" | "write" | "truncate" | "sync" | "rename" | "unlink";
  readonly file: string;
  readonly to: string;
  readonly offset: number;
  readonly data: Buffer;
};

const kinds: Readonly<Record<string, FileOperation["kind"]>> = {
  c: "create",
  w: "write",
  t: "truncate",
  s: "sync",
  r: "rename",
  u: "unlink",
};

/** Reads a log of record-writes.c. */
export function readOperations(log: string, folder: string): FileOperation[] {
  const bytes = readFileSync(log);
  const operations: FileOperation[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[String.fromCharCode(bytes[at] as number)];
    if (!kind) throw new Error(`the log of file operations is broken at byte ${at}`);
    const lengths = [bytes.readUInt32LE(at + 1), bytes.readUInt32LE(at + 5)] as const;
    const offset = Number(bytes.readBigUInt64LE(at + 9));
    const dataBytes = Number(bytes.readBigUInt64LE(at + 17));
    at += 25;
    const file = relative(folder, bytes.toString("utf8", at, at + lengths[0]));
    at += lengths[0];
    const to = lengths[1] > 0 ? relative(folder, bytes.toString("utf8", at, at + lengths[1])) : "";
    at += lengths[1];
    operations.push({ kind, file, to, offset, data: bytes.subarray(at, at + dataBytes) });
    at += dataBytes;
  }
  return operations;
}

/** The part of unsynced writes that survives a power loss: none, or random parts of them. */
export type Loss = "none" | "some";

/**
 * Units that are written completely or not at all: sectors of the log, and each write to the file of the database. (The
 * engine does not survive half of one of its blocks, because nothing repairs a block with a wrong checksum.)
 */
const sectorBytes = 512;

type Inode = { content: Buffer; pending: FileOperation[] };

/**
 * Replays operations and then loses power: returns the contents of the folder, file by file. A sync makes the file's
 * writes durable, and all names until then, like a journaling file system. `loss` decides about later writes; of later
 * changes of names, some first ones are kept, in order.
 */
export function filesAfterPowerLoss(
  operations: readonly FileOperation[],
  { loss, random }: { readonly loss: Loss; readonly random: () => number },
): ReadonlyMap<string, Buffer> {
  const open = new Map<string, Inode>();
  let durable = new Map<string, Inode>();
  let renamings: Map<string, Inode>[] = [];

  for (const operation of operations) {
    const { kind, file, to } = operation;
    const inode = open.get(file);
    if (kind === "create") open.set(file, { content: Buffer.alloc(0), pending: [] });
    else if (kind === "unlink") open.delete(file);
    else if (kind === "rename" && inode) {
      open.delete(file);
      open.set(to, inode);
    } else if (kind === "sync" && inode) {
      for (const pending of inode.pending) apply(inode, pending, () => true);
      inode.pending = [];
      durable = new Map(open);
      renamings = [];
      continue;
    } else if (inode) {
      inode.pending.push(operation);
      continue;
    }
    renamings.push(new Map(open));
  }

  const kept = loss === "none" ? 0 : Math.floor(random() * (renamings.length + 1));
  const names = kept === 0 ? durable : (renamings[kept - 1] as Map<string, Inode>);
  if (loss === "some") for (const inode of new Set(names.values())) applySome(inode, random);
  return new Map([...names].map(([file, { content }]) => [file, content]));
}

/** Applies random pages of the pending writes; everything after a lost change of the file's size is lost too. */
function applySome(inode: Inode, random: () => number): void {
  for (const operation of inode.pending) {
    if (operation.kind === "truncate" && random() < 0.5) return;
    apply(inode, operation, () => operation.kind === "truncate" || random() < 0.5);
  }
}

function apply(inode: Inode, { kind, file, offset, data }: FileOperation, isKept: () => boolean): void {
  if (kind === "truncate") {
    inode.content = resized(inode.content, offset);
    return;
  }
  const pageBytes = file.endsWith(".wal") ? sectorBytes : Math.max(data.length, 1);
  const pages = Array.from({ length: Math.ceil(data.length / pageBytes) }, (_, page) => page * pageBytes);
  const kept = pages.filter(isKept);
  const end = offset + Math.min((kept.at(-1) ?? -pageBytes) + pageBytes, data.length);
  if (end > inode.content.length) inode.content = resized(inode.content, end);
  for (const start of kept)
    data.copy(inode.content, offset + start, start, Math.min(start + pageBytes, data.length));
}

function resized(content: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  content.copy(result, 0, 0, Math.min(content.length, length));
  return result;
}

/** Writes files into a folder. */
export function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [file, content] of files) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
