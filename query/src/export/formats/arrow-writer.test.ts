import { tableFromIPC } from "apache-arrow";
import { expect, it } from "vitest";
import { createArrowWriter } from "./arrow-writer.ts";
import { createZoneClock } from "./zone-clock.ts";

const columns = [
  { name: "start", kind: "time" },
  { name: "device_id", kind: "text" },
  { name: "value", kind: "number" },
  { name: "count", kind: "count" },
] as const;
const end = { rows: 3, complete_through: "2026-11-23T00:00:00.000Z", not_covered: [] };
const atMs = Date.UTC(2026, 10, 23, 20, 4, 22, 123);

async function written(pieces: readonly (readonly [number, string, number, number])[][]) {
  const writer = createArrowWriter({ columns, clock: createZoneClock("Europe/Berlin"), hasEndLine: true });
  const parts: Uint8Array[] = [];
  for (const rows of pieces) {
    const column = (place: number) => rows.map((row) => row[place]) as readonly string[] | readonly number[];
    parts.push(await writer.write({ length: rows.length, columns: [0, 1, 2, 3].map(column) }));
  }
  parts.push(await writer.finish(end));
  return Buffer.concat(parts);
}

it("writes an Arrow file, a record batch for each piece, with text of any length and times of the zone", async () => {
  const bytes = await written([
    [
      [atMs, "°", 0.1 + 0.2, 2 ** 40],
      [atMs + 1, "", -0, 0],
    ],
    [[0, 'a,\n"b"', Number.MAX_VALUE, 1]],
  ]);
  // The file format begins and ends with its magic; the stream format does not.
  expect([bytes.subarray(0, 6).toString(), bytes.subarray(-6).toString()]).toEqual(["ARROW1", "ARROW1"]);
  const table = tableFromIPC(bytes);
  expect(table.batches).toHaveLength(2);
  expect(table.schema.fields.map(({ name, type, nullable }) => [name, `${type}`, nullable])).toEqual([
    ["start", "Timestamp<MILLISECOND, Europe/Berlin>", false],
    ["device_id", "Utf8", false],
    ["value", "Float64", false],
    ["count", "Int64", false],
  ]);
  expect(table.toArray().map((row) => [Number(row?.start), row?.device_id, row?.value, row?.count])).toEqual([
    [atMs, "°", 0.1 + 0.2, 2n ** 40n],
    [atMs + 1, "", -0, 0n],
    [0, 'a,\n"b"', Number.MAX_VALUE, 1n],
  ]);
});

it("writes a file without rows", async () => {
  expect(tableFromIPC(await written([])).numRows).toBe(0);
});
