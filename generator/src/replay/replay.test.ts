import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { UnitSender } from "@devicemesh/client/delivery/unit";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { createManualClock } from "@devicemesh/client/testing/manual-clock";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { header, iso, lines, recordingFile, startMs } from "../../testing/recording-fixture.ts";
import { type ReplayProgress, replayFile } from "./replay.ts";

describe("replay", () => {
  const write = recordingFile();

  it("delivers every reading of the project's sample recording, with its own timestamps", async () => {
    await using ingest = await startFakeIngest();
    const file = fileURLToPath(new URL("../../recordings/seattle-hourly-normals.csv", import.meta.url));
    const progress: ReplayProgress[] = [];
    const summary = await replayFile({
      file,
      target: ingest.target,
      onProgress: (now) => progress.push(now),
    });
    expect(summary).toMatchObject({
      ended: "complete",
      readRows: 17_518,
      sent: 17_518,
      acked: 17_518,
      refused: 0,
      bad: 0,
      badRows: [],
      trouble: undefined,
    });
    expect(summary.bytesRead).toBe(summary.bytesTotal);
    expect(new Set(ingest.stored).size).toBe(17_518);
    expect(ingest.stored).toContain("seattle-thermostat|temperature|2010-12-31T23:00:00.000Z");
    expect(progress.at(-1)).toMatchObject({ acked: 17_518 });
  });

  it("lists bad rows with their lines, and delivers the others", async () => {
    await using ingest = await startFakeIngest();
    const good = lines(4);
    const content = [
      `\ufeff${header}`,
      good[0],
      "",
      "only,two",
      good[1],
      `"torn,${iso(startMs)},temperature,1`,
      good[2],
      `a,${iso(startMs)},temperature,${"1".repeat(1_000_000)}`,
      `a,${iso(startMs)},pressure,2000`,
      good[3],
    ].join("\r\n");
    const summary = await replayFile({ file: write(content), target: ingest.target });
    expect(summary).toMatchObject({ ended: "complete", readRows: 8, acked: 4, bad: 4 });
    expect(summary.badRows.map(({ line }) => line)).toEqual([4, 6, 8, 9]);
    expect(summary.badRows.map(({ reason }) => reason)).toEqual([
      "it has 2 fields, the header has 4",
      "a quoted field does not end",
      "the row is longer than 65536 characters",
      expect.stringContaining("value 2000 is not within"),
    ]);
    expect(ingest.stored).toHaveLength(4);
  });

  it("keeps the first 100 bad rows and counts all", async () => {
    await using ingest = await startFakeIngest();
    const content = [header, ...Array.from({ length: 250 }, () => "x"), ...lines(1)].join("\n");
    const summary = await replayFile({ file: write(content), target: ingest.target });
    expect(summary).toMatchObject({ bad: 250, acked: 1 });
    expect(summary.badRows).toHaveLength(100);
  });

  it("counts readings that ingest rejects and returns the reasons", async () => {
    await using ingest = await startFakeIngest({
      refuses: ({ timestamp }) => Number(timestamp?.seconds) * 1000 === startMs,
    });
    const summary = await replayFile({
      file: write([header, ...lines(10)].join("\n")),
      target: ingest.target,
    });
    expect(summary).toMatchObject({ ended: "complete", sent: 10, acked: 9, refused: 1 });
    expect(summary.refusedReadings).toMatchObject([
      { identity: `a|temperature|${iso(startMs)}`, text: "is not liked" },
    ]);
  });

  it("names the problem of a file that is not a recording", async () => {
    const replay = (file: string) => replayFile({ file, target: "127.0.0.1:1" });
    await expect(replay(write("a,b,c\n1,2,3"))).rejects.toThrow(
      "device_id, timestamp, sensor, value missing",
    );
    await expect(replay(write(lines(3).join("\n")))).rejects.toThrow("the first line must be a header");
    await expect(replay(write(""))).rejects.toThrow("is empty");
    await expect(replay(write(Buffer.alloc(100_000, 0xff)))).rejects.toThrow(
      "the first line must be a header",
    );
    const folder = dirname(write(""));
    await expect(replay(join(folder, "none.csv"))).rejects.toThrow("there is no such file");
    await expect(replay(folder)).rejects.toThrow("is not a file");
  });

  it("shifts the recording so that its latest reading is now", async () => {
    await using ingest = await startFakeIngest();
    const unordered = [header, ...lines(5).toReversed(), lines(3)[2]].join("\n");
    const before = Date.now();
    await replayFile({ file: write(unordered), target: ingest.target, times: "end-now" });
    const times = ingest.stored.map((identity) => Date.parse(identity.split("|")[2]!));
    expect(times[0]!).toBeGreaterThanOrEqual(before);
    expect(times[0]!).toBeLessThanOrEqual(Date.now());
    expect(times.map((time) => time - times[0]!)).toEqual(
      [0, -1, -2, -3, -4, -2].map((hours) => hours * 3_600_000),
    );
  });

  function slowReplay(options: { times: "own" | "start-now"; speed: number }) {
    const clock = createManualClock();
    const sentAtMs: number[] = [];
    const readings: number[] = [];
    const sender: UnitSender = {
      async send(unit) {
        sentAtMs.push(clock.nowMs());
        readings.push(unit.readings);
        return { kind: "acked", accepted: unit.readings, refused: 0, refusedReadings: [] };
      },
      close() {},
    };
    const summary = replayFile({
      file: write([header, ...lines(4)].join("\n")),
      target: "nowhere",
      clock,
      sender,
      ...options,
    });
    return { clock, summary, sentAtMs, readings };
  }

  it("keeps the recording's rate, times the speed", async () => {
    const { clock, summary, sentAtMs, readings } = slowReplay({ times: "own", speed: 3600 });
    const startedMs = clock.nowMs();
    await waitUntil(() => clock.timers() >= 3, { what: "the second row waits for its time" });
    for (let ms = 0; ms < 5000; ms += 10) await clock.advanceAsync(10);
    expect(await summary).toMatchObject({ ended: "complete", acked: 4 });
    // One row a second; each unit is complete 250 ms after its first reading, the last at the end.
    expect(sentAtMs.map((at) => at - startedMs)[0]).toBe(250);
    expect(sentAtMs.at(-1)! - startedMs).toBeGreaterThanOrEqual(3000);
    expect(readings.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it("sets the timestamp of each reading to the time at which it is sent, like a live device", async () => {
    await using ingest = await startFakeIngest();
    const before = Date.now();
    const file = write([header, ...lines(5)].join("\n"));
    await replayFile({ file, target: ingest.target, times: "start-now", speed: 360_000 });
    const times = ingest.stored.map((identity) => Date.parse(identity.split("|")[2]!));
    expect(times.map((time) => time - times[0]!)).toEqual([0, 10, 20, 30, 40]);
    expect(times[0]!).toBeGreaterThanOrEqual(before);
    expect(times.at(-1)!).toBeLessThanOrEqual(Date.now());
    await expect(replayFile({ file, target: ingest.target, times: "start-now" })).rejects.toThrow(RangeError);
    await expect(replayFile({ file, target: ingest.target, speed: 0 })).rejects.toThrow(RangeError);
  });

  it("waits for an unavailable ingest, and loses nothing", async () => {
    const unavailable = await startFakeIngest();
    unavailable.kill();
    const trouble: (string | undefined)[] = [];
    const replaying = replayFile({
      file: write([header, ...lines(3000)].join("\n")),
      target: unavailable.target,
      limits: { unitReadings: 100, memoryReadings: 300 },
      onProgress: (progress) => trouble.push(progress.trouble),
    });
    await waitUntil(() => trouble.some((text) => text?.startsWith("UNAVAILABLE")), {
      what: "the trouble is reported",
    });
    await using back = await startFakeIngest({ port: unavailable.port });
    expect(await replaying).toMatchObject({ ended: "complete", acked: 3000, trouble: undefined });
    expect(new Set(back.stored).size).toBe(3000);
  });

  it("gives up after the time limit, or at once if a retry cannot help", async () => {
    const unavailable = await startFakeIngest();
    unavailable.kill();
    const file = write([header, ...lines(3)].join("\n"));
    const summary = await replayFile({ file, target: unavailable.target, giveUpAfterMs: 50 });
    expect(summary).toMatchObject({
      ended: "gave-up",
      acked: 0,
      sent: 3,
      trouble: expect.stringContaining("UNAVAILABLE"),
    });
    const sender: UnitSender = {
      send: async () => ({ kind: "failed", code: "UNIMPLEMENTED", message: "no", retryDelayMs: undefined }),
      close() {},
    };
    expect(await replayFile({ file, target: "nowhere", sender })).toMatchObject({
      ended: "gave-up",
      trouble: "UNIMPLEMENTED: no",
    });
  });

  it("ends early when the signal aborts", async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>();
    await using ingest = await startFakeIngest({ fate: () => ({ kind: "hold", release }) });
    const ending = new AbortController();
    const replaying = replayFile({
      file: write([header, ...lines(5000)].join("\n")),
      target: ingest.target,
      limits: { unitReadings: 100, memoryReadings: 300 },
      signal: ending.signal,
    });
    await waitUntil(() => ingest.units.length > 0, { what: "a unit arrives" });
    ending.abort();
    expect(await replaying).toMatchObject({ ended: "interrupted", acked: 0 });
    resolve();
  });
});
