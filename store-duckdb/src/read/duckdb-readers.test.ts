import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { createDuckdbReaders } from "./duckdb-readers.ts";

const signal = AbortSignal.timeout(60_000);

async function openReaders() {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: "16MiB",
    threads: "1",
    max_temp_directory_size: "0KiB",
  });
  const readers = createDuckdbReaders(await Promise.all([instance.connect(), instance.connect()]));
  return {
    readers,
    async [Symbol.asyncDispose]() {
      await readers.close();
      instance.closeSync();
    },
  };
}

describe("the readers of the store", () => {
  it("return RESOURCE_EXHAUSTED with a retry delay if the engine's memory is insufficient, and continue", async () => {
    await using opened = await openReaders();
    const heavy =
      "SELECT count(*) FROM (SELECT DISTINCT range::VARCHAR || 'a long enough text' FROM range(3000000))";
    await expect(opened.readers.read(heavy, signal)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("shorter timeframe"),
      details: expect.arrayContaining([{ kind: "retryInfo", retryDelayMs: expect.any(Number) }]),
    });
    expect(await opened.readers.read("SELECT 1", signal)).toEqual([[1]]);
  });

  it("pass on numbers of each type of column, whole ones up to 2^53", async () => {
    await using opened = await openReaders();
    const whole = [
      0,
      1,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      946_684_800_000,
      2 ** 53 - 1,
      -1,
      -(2 ** 40),
    ];
    const found: number[][] = [];
    const query = {
      sql: `SELECT 7::INTEGER, each, 0.5::DOUBLE FROM (SELECT unnest([${whole.join(", ")}]::BIGINT[]) AS each) WHERE each < $1`,
      columns: "ibd",
      parameters: [Number.POSITIVE_INFINITY],
    };
    await opened.readers.readNumbers(query, signal, (columns, rows) => {
      for (let row = 0; row < rows; row++) found.push(columns.map((column) => column[row] as number));
    });
    expect(found).toEqual(whole.map((each) => [7, each, 0.5]));
  });

  it("run one heavy read at a time, queue 20, reject more by name, and answer others meanwhile", async () => {
    await using opened = await openReaders();
    const { readers } = opened;
    const first = Promise.withResolvers<void>();
    let running = 0;
    let runningMost = 0;
    const heavily = () =>
      readers.heavily(async () => {
        runningMost = Math.max(runningMost, ++running);
        await first.promise;
        running--;
      }, signal);
    const taken = Array.from({ length: 21 }, heavily);
    await expect(heavily()).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("heavy queries"),
    });
    expect(await readers.read("SELECT 1", signal)).toEqual([[1]]);
    first.resolve();
    await Promise.all(taken);
    expect(runningMost).toBe(1);
    await heavily();
  });

  it("drop a queued heavy read whose caller has cancelled", async () => {
    await using opened = await openReaders();
    const { readers } = opened;
    const first = Promise.withResolvers<void>();
    const running = readers.heavily(() => first.promise, signal);
    const gone = new AbortController();
    const waiting = readers.heavily(async () => "ran", gone.signal);
    gone.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    first.resolve();
    await running;
    expect(await readers.heavily(async () => "ran", signal)).toBe("ran");
  });
});
