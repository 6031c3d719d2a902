/** The columns of numbers of a batch. */
export type NumberColumns = {
  readonly sensorCodes: Uint16Array;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

/** One reading: two doubles and a code of two bytes. */
const rowBytes = 18;

/**
 * Gives columns of `length` rows that no other batch has, cut one after the other from pieces of `pieceBytes`:
 * to get memory for each column of each frame by itself costs more than to decode small frames. A piece
 * lives as long as any batch cut from it.
 */
export function createBatchMemory(pieceBytes = 256 * 1024): (length: number) => NumberColumns {
  let piece = new ArrayBuffer(pieceBytes);
  let used = 0;
  return (length) => {
    // Doubles must start at a multiple of 8.
    const bytes = Math.ceil((rowBytes * length) / 8) * 8;
    if (used + bytes > piece.byteLength) {
      piece = new ArrayBuffer(Math.max(pieceBytes, bytes));
      used = 0;
    }
    const start = used;
    used += bytes;
    return {
      timestampsMs: new Float64Array(piece, start, length),
      values: new Float64Array(piece, start + 8 * length, length),
      sensorCodes: new Uint16Array(piece, start + 16 * length, length),
    };
  };
}
