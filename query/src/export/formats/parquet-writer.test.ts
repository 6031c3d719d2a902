import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { expect, it } from "vitest";
import { createParquetWriter } from "./parquet-writer.ts";
import { createZoneClock } from "./zone-clock.ts";

const columns = [
  { name: "start", kind: "time" },
  { name: "device_id", kind: "text" },
  { name: "value", kind: "number" },
  { name: "count", kind: "count" },
] as const;
const end = { rows: 3, complete_through: "2026-11-23T00:00:00.000Z", not_covered: [] };
const atMs = Date.UTC(2026, 10, 23, 20, 4, 22, 123);

type Row = readonly [number, string, number, number];

async function written(pieces: readonly (readonly Row[])[]) {
  const writer = createParquetWriter({ columns, clock: createZoneClock("Europe/Berlin"), hasEndLine: true });
  const parts: Uint8Array[] = [];
  for (const rows of pieces) {
    const column = (place: number) => rows.map((row) => row[place]) as readonly string[] | readonly number[];
    parts.push(await writer.write({ length: rows.length, columns: [0, 1, 2, 3].map(column) }));
  }
  const lengths = parts.map(({ length }) => length);
  parts.push(await writer.finish(end));
  const bytes = Buffer.concat(parts);
  return { lengths, file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
}

const read = async (file: ArrayBuffer) =>
  (await parquetReadObjects({ file })).map(({ start, device_id, value, count }) => [
    (start as Date).getTime(),
    device_id,
    value,
    count,
  ]);

it("writes rows of several pieces, and the coverage in the footer", async () => {
  const rows: Row[] = [
    [atMs, "°", 0.1 + 0.2, 2 ** 40],
    [atMs + 1, "", -0, 0],
    [0, "a", Number.MAX_VALUE, 1],
  ];
  const { file } = await written([rows.slice(0, 2), rows.slice(2)]);
  expect(await read(file)).toEqual(rows.map(([...row]) => row.with(3, BigInt(row[3] as number) as never)));
  const { key_value_metadata: metadata = [], num_rows } = parquetMetadata(file);
  expect(num_rows).toBe(3n);
  expect(Object.fromEntries(metadata.map(({ key, value }) => [key, value]))).toEqual({
    "devicemesh.export": JSON.stringify(end),
    "devicemesh.zone": "Europe/Berlin",
  });
});

it("sends row groups as they fill, with the bounds of their times, so that a large file takes no more memory", async () => {
  const piece = (from: number): Row[] =>
    Array.from({ length: 8192 }, (_, place) => [from + place, `device-${place % 50}`, place / 7, place]);
  const pieces = Array.from({ length: 12 }, (_, place) => piece(place * 8192));
  const { lengths, file } = await written(pieces);
  expect(lengths.map((length) => length > 0)).toEqual(pieces.map((_, place) => place % 4 === 3));
  const { row_groups } = parquetMetadata(file);
  expect(row_groups.map(({ num_rows }) => num_rows)).toEqual([32_768n, 32_768n, 32_768n]);
  expect(row_groups.map(({ columns }) => columns[0]?.meta_data?.statistics?.min_value)).toEqual(
    [0, 32_768, 65_536].map((ms) => new Date(ms)),
  );
  const rows = await read(file);
  expect(rows.length).toBe(98_304);
  expect(rows.every(([start], place) => start === place)).toBe(true);
});

it("writes a file without rows", async () => {
  const { file } = await written([]);
  expect(await read(file)).toEqual([]);
});
