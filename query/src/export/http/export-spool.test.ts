import { readdirSync } from "node:fs";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { createExportSpool, type WriteExport } from "./export-spool.ts";

const { signal } = new AbortController();
const end = { rows: 1, complete_through: "2026-11-23T00:00:00.000Z", not_covered: [] };
const writing =
  (...parts: string[]): WriteExport =>
  async (sink) => {
    for (const part of parts) await sink(Buffer.from(part));
    return end;
  };

it("writes an export once for concurrent and later requests, and leaves no named file", async () => {
  using folder = temporaryFolder();
  await using spool = createExportSpool({ folder: folder.path });
  let writes = 0;
  const write: WriteExport = (sink, stopped) => {
    writes++;
    return writing("hello, ", "world")(sink, stopped);
  };
  const files = await Promise.all([spool.open("a", write, signal), spool.open("a", write, signal)]);
  expect(files[0]).toBe(files[1]);
  expect(await spool.open("a", write, signal)).toBe(files[0]);
  expect(writes).toBe(1);
  const [file] = files;
  expect([file.size, Buffer.from(await file.read(7, 100)).toString()]).toEqual([12, "world"]);
  expect(readdirSync(folder.path)).toEqual([]);
  const other = await spool.open("b", write, signal);
  expect(other.etag).not.toBe(file.etag);
});

it("bounds the bytes of all files together", async () => {
  await using spool = createExportSpool({ bytesMax: 10 });
  await spool.open("a", writing("12345678"), signal);
  await expect(spool.open("b", writing("123"), signal)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect((await spool.open("c", writing("12"), signal)).size).toBe(2);
});

it("drops a file that is not used for a while, and frees its capacity", async () => {
  await using spool = createExportSpool({ bytesMax: 10, idleMs: 1 });
  const { etag } = await spool.open("a", writing("12345678"), signal);
  const hasCapacity = () =>
    spool.open("b", writing("1234567890"), signal).then(
      () => true,
      () => false,
    );
  await expect.poll(hasCapacity, { timeout: 20_000 }).toBe(true);
  await expect
    .poll(() =>
      spool.open("a", writing("1"), signal).then(
        (file) => file.etag,
        () => etag,
      ),
    )
    .not.toBe(etag);
});

it("stops writing when every waiting client has disconnected", async () => {
  await using spool = createExportSpool();
  let isStopped = false;
  const stopped = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const endless: WriteExport = (_, stop) => {
    began.resolve();
    return new Promise((__, reject) => {
      stop.addEventListener("abort", () => {
        isStopped = true;
        stopped.resolve();
        reject(stop.reason);
      });
    });
  };
  const [one, two] = [new AbortController(), new AbortController()];
  const first = spool.open("a", endless, one.signal);
  const second = spool.open("a", endless, two.signal);
  await began.promise;
  one.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  expect(isStopped).toBe(false);
  two.abort(new Error("gone as well"));
  await expect(second).rejects.toThrow("gone as well");
  await stopped.promise;
});

it("fails an export whose writing fails, and writes it again for the next client", async () => {
  await using spool = createExportSpool();
  const failing: WriteExport = async (sink) => {
    await sink(Buffer.from("half"));
    throw new Error("the disk is gone");
  };
  await expect(spool.open("a", failing, signal)).rejects.toThrow("the disk is gone");
  expect((await spool.open("a", writing("whole"), signal)).size).toBe(5);
});
