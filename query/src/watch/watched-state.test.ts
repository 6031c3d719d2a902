import { sensorByName } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createGroupMerge, partialOfReading } from "../plan/merge.ts";
import type { LiveWindow } from "./live-window.ts";
import { createWatchedState, messageRowsMax } from "./watched-state.ts";

function rows(...bucketsMs: readonly number[]) {
  const merge = createGroupMerge("series", (sensor) => sensorByName(sensor)?.unit ?? "");
  merge.add(
    bucketsMs.map((bucketMs) => ({
      ...partialOfReading({ timestampMs: bucketMs, value: 1 }),
      deviceId: "a",
      sensor: "temperature" as const,
      bucketMs,
      fromRaw: 1,
    })),
  );
  return merge.aggregates();
}

function windowOf(parts: Partial<Pick<LiveWindow, "buckets" | "ahead">>): LiveWindow {
  const coverage = { completeThroughMs: 0, frontierMs: 0, fromWindows: 0, fromRaw: 0, notCovered: [] };
  return { buckets: [], ahead: [], endMs: 0, coverage, ...parts };
}

/** The starts of the buckets in the messages for a watcher with a version, in ms, and the counts ahead. */
function reported(state: ReturnType<typeof createWatchedState>, known: number) {
  return [...state.messagesSince(known)].map(({ snapshot, buckets, ahead }) => ({
    snapshot,
    starts: buckets.map(({ start }) => Number(start?.seconds) * 1000),
    ahead: ahead.map(({ count }) => Number(count)),
  }));
}

describe("createWatchedState", () => {
  it("has a message for a new watcher, also if there are no rows, and none before the first read", () => {
    const state = createWatchedState(10_000);
    expect(reported(state, 0)).toEqual([]);
    state.update(windowOf({}), 0);
    expect(reported(state, 0)).toEqual([{ snapshot: true, starts: [], ahead: [] }]);
  });

  it("returns the changes since each watcher's version", () => {
    const state = createWatchedState(10_000);
    state.update(windowOf({ buckets: rows(0, 10_000) }), 0);
    const first = state.version;
    state.update(windowOf({ buckets: rows(0, 10_000) }), 0);
    expect(state.version).toBe(first);
    state.update(windowOf({ buckets: rows(0, 0, 10_000, 20_000) }), 0);
    const second = state.version;
    state.update(windowOf({ buckets: rows(0, 0, 10_000, 20_000, 20_000) }), 0);
    const starts = (known: number) => reported(state, known).map((message) => message.starts);
    expect(starts(0)).toEqual([[0, 10_000, 20_000]]);
    expect(starts(first)).toEqual([[0, 20_000]]);
    expect(starts(second)).toEqual([[20_000]]);
    expect(starts(state.version)).toEqual([]);
  });

  it("builds one message for all watchers with the same version", () => {
    const state = createWatchedState(10_000);
    state.update(windowOf({ buckets: rows(0) }), 0);
    expect([...state.messagesSince(0)][0]).toBe([...state.messagesSince(0)][0]);
  });

  it("reports that no reading is ahead any more until every watcher has received it", () => {
    const state = createWatchedState(10_000);
    state.update(windowOf({ ahead: rows(0) }), 0);
    const ahead = state.version;
    state.update(windowOf({}), ahead);
    expect(reported(state, ahead)).toEqual([{ snapshot: false, starts: [], ahead: [0] }]);
    expect(reported(state, 0)).toEqual([{ snapshot: true, starts: [], ahead: [] }]);
    state.update(windowOf({ buckets: rows(0) }), ahead);
    expect(reported(state, ahead)).toEqual([{ snapshot: false, starts: [0], ahead: [0] }]);
    state.update(windowOf({}), state.version);
    expect(state.size).toBe(0);
  });

  it("splits long answers into messages, the first of which is the snapshot", () => {
    const state = createWatchedState(10_000);
    const buckets = rows(...Array.from({ length: messageRowsMax + 1 }, (_, place) => place * 10_000));
    state.update(windowOf({ buckets, ahead: rows(0) }), 0);
    const messages = reported(state, 0);
    expect(messages.map(({ snapshot }) => snapshot)).toEqual([true, false, false]);
    expect(messages.map(({ starts, ahead }) => starts.length + ahead.length)).toEqual([messageRowsMax, 1, 1]);
    expect(messages.flatMap(({ starts }) => starts).length).toBe(messageRowsMax + 1);
  });

  it("drops buckets that are no longer watched", () => {
    const state = createWatchedState(10_000);
    for (let ms = 0; ms < 1_000_000; ms += 10_000)
      state.update(windowOf({ buckets: rows(ms, ms + 10_000) }), 0);
    expect(state.size).toBe(2);
  });
});
