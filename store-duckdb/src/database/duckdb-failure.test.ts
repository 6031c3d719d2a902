import { describe, expect, it } from "vitest";
import { duckdbFailure } from "./duckdb-failure.ts";

// The texts are DuckDB's own.
describe("a failure of DuckDB", () => {
  it.each([
    [
      'TransactionContext Error: Failed to commit: Could not write file "/d/devicemesh.duckdb.wal": Read-only file system',
      "readOnly",
    ],
    [
      'TransactionContext Error: Failed to commit: Could not write file "/d/x.wal": No space left on device',
      "diskFull",
    ],
    ["FATAL Error: Failed: database has been invalidated because of a previous fatal error.", "invalidated"],
    ["Out of Memory Error: could not allocate block of size 256.0 KiB", "outOfMemory"],
    ["TransactionContext Error: Failed to commit: failed to pin block of size 256.0 KiB", "outOfMemory"],
    ["INTERNAL Error: Could not find node in column segment tree!", "internal"],
    [
      "FATAL Error: Failed to create checkpoint because of error: Out of Memory Error: failed to pin",
      "invalidated",
    ],
    ["Parser Error: syntax error", "other"],
  ] as const)("%s is %s", (text, kind) => {
    expect(duckdbFailure(new Error(text))).toBe(kind);
  });
});
