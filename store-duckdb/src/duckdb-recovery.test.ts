import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { DuckDBConnection } from "@duckdb/node-api";
import { afterEach, describe, expect, it, vi } from "vitest";
import { countAll } from "../testing/full-disk-load.ts";
import { openRecoveringStore } from "./recovering-store.ts";

const signal = AbortSignal.timeout(60_000);
const startMs = Date.UTC(2026, 10, 24);

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes the next statement whose text begins with `sql` fail; a commit that fails is rolled back. */
function failNext(sql: string, text: string): void {
  let isFailing = true;
  vi.restoreAllMocks();
  const run = DuckDBConnection.prototype.run;
  vi.spyOn(DuckDBConnection.prototype, "run").mockImplementation(async function (
    this: DuckDBConnection,
    ...call
  ) {
    if (!isFailing || !call[0].startsWith(sql)) return run.apply(this, call);
    isFailing = false;
    if (sql === "COMMIT") await run.call(this, "ROLLBACK");
    throw new Error(text);
  });
}

async function openStore() {
  const folder = temporaryFolder();
  const events: string[] = [];
  const reopened = Promise.withResolvers<void>();
  const store = await openRecoveringStore({
    folder: folder.path,
    clock: Date.now,
    onRecovery({ kind }) {
      events.push(kind);
      if (kind === "reopened") reopened.resolve();
    },
  });
  let count = 0;
  return {
    store,
    events,
    reopened: reopened.promise,
    append: (timestampMs = startMs + 1000 * count++) =>
      store.log.append(batchOf([{ deviceId: "a", sensor: "temperature", timestampMs, value: 1 }])),
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe("a store whose engine fails", () => {
  // The texts are DuckDB's own.
  it.each([
    ["Out of Memory Error: failed to pin block of size 256.0 KiB", "RESOURCE_EXHAUSTED"],
    ["INTERNAL Error: Could not find node in column segment tree!", "UNAVAILABLE"],
    [
      "FATAL Error: Failed to create checkpoint because of error: Out of Memory Error: failed to pin block",
      "RESOURCE_EXHAUSTED",
    ],
  ])(
    "in a commit with %s rejects with %s, and opens its database again with what was acknowledged",
    async (text, code) => {
      await using opened = await openStore();
      await opened.append();
      await opened.append();
      failNext("COMMIT", text);
      const rejection = {
        code,
        details: expect.arrayContaining([{ kind: "retryInfo", retryDelayMs: 1000 }]),
      };
      await expect(opened.append(startMs + 60_000)).rejects.toMatchObject(rejection);
      // Calls meanwhile wait.
      expect(await countAll(opened.store)).toBe(2);
      expect(opened.events).toEqual(["invalidated", "reopened"]);
      await opened.append(startMs + 60_000);
      expect(await countAll(opened.store)).toBe(3);
    },
  );

  it("opens its database again while callers in the same process try again at once", async () => {
    await using opened = await openStore();
    failNext("COMMIT", "FATAL Error: Failed to create checkpoint");
    await expect(opened.append()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    let hasTurned = false;
    setImmediate(() => {
      hasTurned = true;
    });
    for (let tries = 0; !hasTurned && tries < 10_000; tries++) {
      await opened.append().catch(() => {});
      await opened.store.readings.readHorizon(signal).catch(() => {});
    }
    expect(hasTurned).toBe(true);
    await opened.reopened;
    await opened.append(startMs);
  });

  it("in a read answers UNAVAILABLE and opens its database again, but not for each such query", async () => {
    await using opened = await openStore();
    await opened.append();
    const internal = "INTERNAL Error: Attempted to access index 1 within vector of size 1";
    failNext("SELECT (SELECT count", internal);
    await expect(opened.store.readings.readStatus(signal)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await opened.reopened;
    failNext("SELECT (SELECT count", internal);
    await expect(opened.store.readings.readStatus(signal)).rejects.toThrow(internal);
    expect(await opened.store.readings.readStatus(signal)).toMatchObject({ storedReadings: 1 });
    expect(opened.events).toEqual(["invalidated", "reopened"]);
  });

  it("in a fold opens its database again, and folds then", async () => {
    await using opened = await openStore();
    await opened.append();
    failNext("COMMIT", "INTERNAL Error: Could not find node in column segment tree!");
    await expect(opened.store.maintain()).rejects.toThrow("INTERNAL");
    await opened.reopened;
    await opened.store.maintain();
    expect(await countAll(opened.store)).toBe(1);
  });
});
