import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchMachineLoad } from "./load-watch.ts";

describe("watchMachineLoad", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("separates the load before from the load meanwhile, and polls every five seconds", () => {
    const loads = [1, 4, 6, 9];
    const watch = watchMachineLoad(() => loads.shift() ?? Number.NaN);
    vi.advanceTimersByTime(10_000);
    expect(watch.stop()).toEqual({ before: 1, during: { median: 6, minimum: 4, maximum: 9 } });
    vi.advanceTimersByTime(60_000);
    expect(loads).toEqual([]);
  });
});
