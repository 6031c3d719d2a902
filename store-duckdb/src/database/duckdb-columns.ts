// Rows that the engine returns, in columns of numbers.
import bindings from "@duckdb/node-bindings";

/** Rows by column, in the engine's memory; valid only as long as their chunk. */
export type NumberColumns = readonly (Int32Array | Float64Array)[];

/**
 * Returns the columns of a chunk: INTEGER (`i`), DOUBLE (`d`) or BIGINT of whole numbers below 2^53 (`b`), never null.
 */
export function numbersOf(
  chunk: Parameters<typeof bindings.data_chunk_get_vector>[0],
  columns: string,
  rows: number,
): NumberColumns {
  return Array.from(columns, (type, column) => {
    const vector = bindings.data_chunk_get_vector(chunk, column);
    const { buffer, byteOffset } = bindings.vector_get_data(vector, rows * (type === "i" ? 4 : 8));
    if (type === "i") return new Int32Array(buffer, byteOffset, rows);
    if (type === "d") return new Float64Array(buffer, byteOffset, rows);
    return wholeNumbersOf(new Int32Array(buffer, byteOffset, rows * 2), rows);
  });
}

/** Converts 64-bit whole numbers below 2^53, given as halves with the lower first, without a bigint for each. */
function wholeNumbersOf(halves: Int32Array, rows: number): Float64Array {
  const numbers = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const low = halves[row * 2] as number;
    numbers[row] = (halves[row * 2 + 1] as number) * 2 ** 32 + (low < 0 ? low + 2 ** 32 : low);
  }
  return numbers;
}
