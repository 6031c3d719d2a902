import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { listedMax } from "../limits.ts";
import { createBlockFile } from "./block-file.ts";
import { identityHash } from "./identity-hash.ts";

/** A reading and where it is: in which line of which file, by number. */
export type IndexedReading = { readonly value: number; readonly file: number; readonly line: number };

/** Readings that come again among those of the index. */
export type FoundDuplicates = {
  /** With the same value. */
  readonly duplicates: number;
  /** With another value. */
  readonly conflicts: number;
  /** Readings of which this is not known, since the disk for temporary files was full; they count as new. */
  readonly unknown: number;
  /** The first conflicts, each with the first reading of its identity. */
  readonly firstConflicts: readonly { readonly reading: IndexedReading; readonly first: IndexedReading }[];
};

/** Finds readings that come again, in constant memory. */
export type DuplicateIndex = {
  add(deviceId: string, sensorCode: number, timestampMs: number, reading: IndexedReading): void;
  /** Searches everything that was added. */
  find(): Promise<FoundDuplicates>;
  /** Gives the file back. */
  close(): void;
};

// Parts of identities by hash: one is searched at a time. A record is hash, value, file and line in 24 bytes; a
// block of about 8 KiB holds records of one part. 1 MiB of blocks in memory; of 100 million readings a part is 19 MB.
const partBits = 7;
const parts = 1 << partBits;
const recordBytes = 24;
const recordWords = recordBytes / 4;
const blockRecords = 340;
const blockBytes = blockRecords * recordBytes;

/** An index whose records go to a temporary file once they are many. */
export function createDuplicateIndex({ folder }: { readonly folder?: string } = {}): DuplicateIndex {
  const file = createBlockFile({ blockBytes, folder });
  const open = Array.from({ length: parts }, (): Part => ({ block: undefined, records: 0, places: [] }));
  let unknown = 0;

  function flush(part: Part, { bytes }: Block): void {
    const place = file.write(bytes);
    if (place === undefined) unknown += blockRecords;
    else part.places.push(place);
    part.records = 0;
  }

  /** Reads the records of a part, and returns how many there are. */
  function load({ block, places, records }: Part, { bytes }: Block): number {
    for (const [at, place] of places.entries())
      file.read(place, bytes.subarray(at * blockBytes, (at + 1) * blockBytes));
    if (block) bytes.set(block.bytes, places.length * blockBytes);
    return places.length * blockRecords + records;
  }

  return {
    add(deviceId, sensorCode, timestampMs, { value, file: fileNumber, line }) {
      const { low, high } = identityHash(deviceId, sensorCode, timestampMs);
      const part = open[high >>> (32 - partBits)]!;
      part.block ??= newBlock(1);
      const { words, doubles } = part.block;
      const word = part.records * recordWords;
      words[word] = low;
      words[word + 1] = high;
      doubles[(word + 2) / 2] = value;
      words[word + 4] = fileNumber;
      words[word + 5] = line;
      part.records += 1;
      if (part.records === blockRecords) flush(part, part.block);
    },
    async find() {
      const found: Found = { duplicates: 0, conflicts: 0, firstConflicts: [] };
      const share = createLoopShare();
      // One buffer for all parts: one for each would be garbage of the size of the file.
      const blocks = 1 + Math.max(...open.map(({ places }) => places.length));
      const whole = newBlock(blocks);
      const table = new Int32Array(2 ** Math.ceil(Math.log2(2 * blocks * blockRecords)));
      for (const part of open) {
        findInPart({ ...whole, records: load(part, whole) }, table.fill(0), found);
        await share();
      }
      return { ...found, unknown };
    },
    close: file.close,
  };
}

type Part = { block: Block | undefined; records: number; readonly places: number[] };

/** The same memory in three views. */
type Block = { readonly bytes: Uint8Array; readonly words: Uint32Array; readonly doubles: Float64Array };

type Found = { duplicates: number; conflicts: number; firstConflicts: FoundDuplicates["firstConflicts"] };

function newBlock(blocks: number): Block {
  const buffer = new ArrayBuffer(blocks * blockBytes);
  return {
    bytes: new Uint8Array(buffer),
    words: new Uint32Array(buffer),
    doubles: new Float64Array(buffer),
  };
}

/** Searches the records of a part, in the order in which they came, by a table of the first of each hash. */
function findInPart(
  { words, doubles, records }: Block & { readonly records: number },
  table: Int32Array,
  found: Found,
): void {
  const slots = table.length;
  const readingOf = (word: number): IndexedReading => ({
    value: doubles[(word + 2) / 2]!,
    file: words[word + 4]!,
    line: words[word + 5]!,
  });
  for (let record = 0; record < records; record++) {
    const word = record * recordWords;
    const [low, high] = [words[word]!, words[word + 1]!];
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & (slots - 1);
    let first = table[slot]!;
    while (first !== 0) {
      const other = (first - 1) * recordWords;
      if (words[other] === low && words[other + 1] === high) break;
      slot = (slot + 1) & (slots - 1);
      first = table[slot]!;
    }
    if (first === 0) {
      table[slot] = record + 1;
      continue;
    }
    const [reading, before] = [readingOf(word), readingOf((first - 1) * recordWords)];
    if (reading.value === before.value) found.duplicates += 1;
    else {
      found.conflicts += 1;
      keepFirst(found, { reading, first: before });
    }
  }
}

function keepFirst(found: Found, conflict: FoundDuplicates["firstConflicts"][number]): void {
  const last = found.firstConflicts.at(-1);
  if (found.firstConflicts.length === listedMax && !isBefore(conflict.reading, last!.reading)) return;
  found.firstConflicts = [...found.firstConflicts, conflict]
    .sort((a, b) => (isBefore(a.reading, b.reading) ? -1 : 1))
    .slice(0, listedMax);
}

function isBefore(one: IndexedReading, other: IndexedReading): boolean {
  return one.file === other.file ? one.line < other.line : one.file < other.file;
}
