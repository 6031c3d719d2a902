import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { createMemoryGate } from "../database/memory-gate.ts";
import { createDuckdbReaders } from "./duckdb-readers.ts";

const signal = AbortSignal.timeout(60_000);

/** Runs until it is interrupted. */
const endless = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = -1";

async function openReaders() {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: "16MiB",
    threads: "1",
    max_temp_directory_size: "0KiB",
  });
  const memory = createMemoryGate();
  const givenUp = unavailable({ message: "opened again", retryDelayMs: 1000 });
  const readers = createDuckdbReaders(await Promise.all([instance.connect(), instance.connect()]), {
    memory,
    giveUp() {
      readers.abandon(givenUp);
      return givenUp;
    },
  });
  return {
    readers,
    memory,
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
    expect(opened.memory.isShort).toBe(true);
    expect(await opened.readers.read("SELECT 1", signal)).toEqual([[1]]);
  });

  it("return RESOURCE_EXHAUSTED for a statement that is interrupted for a write", async () => {
    await using opened = await openReaders();
    const reading = opened.readers.read(endless, signal);
    await expect.poll(() => opened.memory.reads.size).toBe(1);
    opened.memory.ranOut();
    const [read] = opened.memory.reads;
    const interrupting = setInterval(() => read?.interrupt(), 10);
    await expect(reading).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("memory of the store"),
    });
    clearInterval(interrupting);
    expect(opened.memory.reads.size).toBe(0);
    expect(await opened.readers.read("SELECT 1", signal)).toEqual([[1]]);
  });

  it("end running and waiting statements when the database is given up", async () => {
    await using opened = await openReaders();
    const reading = [1, 2, 3].map(() => opened.readers.read(endless, signal));
    await expect.poll(() => opened.memory.reads.size).toBe(2);
    opened.readers.abandon(unavailable({ message: "opened again", retryDelayMs: 1000 }));
    for (const each of await Promise.allSettled(reading)) {
      expect(each).toMatchObject({ reason: { code: "UNAVAILABLE", message: "opened again" } });
    }
    await expect(opened.readers.read("SELECT 1", signal)).rejects.toThrow("opened again");
  });

  it("return numbers of each type of column, whole ones up to 2^53", async () => {
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

  it("run one heavy read at a time, queue 20, reject more with the reason, and answer light reads meanwhile", async () => {
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
