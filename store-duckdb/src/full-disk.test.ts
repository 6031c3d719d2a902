import { join } from "node:path";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { countAll, createLoad } from "../testing/full-disk-load.ts";
import { createDiskReserve, type DiskState } from "./admission.ts";
import { openRecoveringStore } from "./recovering-store.ts";

const mib = 1024 ** 2;
const signal = AbortSignal.timeout(60_000);

describe("a disk that fills up, by simulated measurements", () => {
  it("warns first, rejects readings with the reason below the reserve while queries are answered, and accepts them again by itself", async () => {
    using folder = temporaryFolder();
    let freeBytes = 5000 * mib;
    const changes: string[] = [];
    const reserve = createDiskReserve({
      folder: folder.path,
      minFreeBytes: 100 * mib,
      readSpace: async () => ({ freeBytes, totalBytes: 10_000 * mib }),
      onChange: (state, text) => changes.push(`${state}: ${text}`),
    });
    await using store = await openRecoveringStore({ folder: folder.path, clock: Date.now, reserve });
    const next = createLoad(1000);
    await store.log.append(next());

    freeBytes = 150 * mib;
    await store.log.append(next());
    await store.log.append(next());
    expect(changes).toEqual([expect.stringMatching(/^low: .*150\.0 MiB free/)]);
    expect((await store.readings.readStatus(signal)).problems).toEqual([
      expect.stringContaining("disk space is low"),
    ]);

    freeBytes = 99 * mib;
    const rejected = store.log.append(next());
    await expect(rejected).rejects.toBeInstanceOf(RpcError);
    await expect(rejected).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringMatching(/99\.0 MiB free.*100\.0 MiB are reserved \(--min-free\)/),
      details: expect.arrayContaining([{ kind: "retryInfo", retryDelayMs: expect.any(Number) }]),
    });
    await expect(store.log.append(next())).rejects.toThrow(folder.path);
    expect(await countAll(store)).toBe(3000);
    expect(changes).toHaveLength(2);

    // A little above the reserve is not enough: it would be full again at once.
    freeBytes = 101 * mib;
    await expect(store.log.append(next())).rejects.toThrow("disk full");
    freeBytes = 5000 * mib;
    await store.log.append(next());
    expect(await countAll(store)).toBe(4000);
    expect(changes.at(-1)).toMatch(/^ample: disk space recovered/);
    expect((await store.readings.readStatus(signal)).problems).toEqual([]);
  });

  it("counts unused space inside the store's file as free", async () => {
    const states: DiskState[] = [];
    let freeBytes = 90 * mib;
    const reserve = createDiskReserve({
      folder: "data",
      minFreeBytes: 100 * mib,
      readSpace: async () => ({ freeBytes, totalBytes: 10_000 * mib }),
      onChange: (state) => states.push(state),
    });
    expect(await reserve.check()).toBeDefined();
    reserve.setReusable(500 * mib);
    expect(await reserve.check()).toBeUndefined();
    // The write-ahead log needs the disk itself.
    freeBytes = 40 * mib;
    expect(await reserve.check()).toBeDefined();
    expect(states).toEqual(["full", "ample", "full"]);
  });

  it("is not guarded if the measurement fails, and reserves a quarter of a small file system", async () => {
    using folder = temporaryFolder();
    const lost = createDiskReserve({ folder: join(folder.path, "missing") });
    expect(await lost.check()).toBeUndefined();
    const small = createDiskReserve({
      folder: folder.path,
      readSpace: async () => ({ freeBytes: 11 * mib, totalBytes: 48 * mib }),
    });
    expect((await small.check())?.message).toContain("12.0 MiB are reserved");
  });
});
