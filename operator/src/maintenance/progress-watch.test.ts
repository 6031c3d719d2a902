import { describe, expect, it } from "vitest";
import { createProgressWatch } from "./progress-watch.ts";

describe("a watch over progress", () => {
  it("measures the time in which records wait without progress", () => {
    const watch = createProgressWatch();
    expect(watch.observe(1000, { committed: 5, lag: 3 })).toBe(0);
    expect(watch.observe(3000, { committed: 5, lag: 4 })).toBe(2000);
    expect(watch.observe(4000, { committed: 5, lag: 9 })).toBe(3000);
  });

  it("starts again at any progress, even if more records wait than before", () => {
    const watch = createProgressWatch();
    watch.observe(0, { committed: 5, lag: 3 });
    expect(watch.observe(1000, { committed: 6, lag: 100 })).toBe(0);
    expect(watch.observe(1500, { committed: 6, lag: 100 })).toBe(500);
  });

  it("measures nothing while no record waits", () => {
    const watch = createProgressWatch();
    watch.observe(0, { committed: 5, lag: 0 });
    expect(watch.observe(60_000, { committed: 5, lag: 0 })).toBe(0);
    expect(watch.observe(61_000, { committed: 5, lag: 1 })).toBe(1000);
  });
});
