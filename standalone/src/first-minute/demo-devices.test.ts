import { describe, expect, it } from "vitest";
import type { Embedded } from "../start.ts";
import { backfillPlan, startDemoDevices } from "./demo-devices.ts";
import { browserCommand } from "./open-browser.ts";

describe("the first minute", () => {
  it("has a day of readings every 10 s, fewer for large fleets and short retention", () => {
    expect(backfillPlan(12, undefined)).toEqual({ spanMs: 86_400_000, intervalMs: 10_000 });
    expect(backfillPlan(12, 3_600_000).spanMs).toBe(3_600_000);
    for (const devices of [1, 115, 116, 1000, 100_000]) {
      const { spanMs, intervalMs } = backfillPlan(devices, undefined);
      expect((devices * spanMs) / intervalMs).toBeLessThanOrEqual(1_000_000);
    }
  });

  it("has other readings at each start", async () => {
    const seeds = new Set<unknown>();
    const generator = { start: ({ seed }: { seed?: bigint }) => seeds.add(seed) };
    const mesh = { generator, found: { storedReadings: 5, series: 1 } } as unknown as Embedded;
    const config = { devices: 1, noGenerator: false, noBackfill: false, generatorPrefix: "" };
    const whole = { ...config, replay: undefined, retainRaw: undefined };
    for (let start = 0; start < 3; start++) {
      await startDemoDevices(whole, mesh, new AbortController().signal);
    }
    expect(seeds.size).toBe(3);
  });

  it("opens the dashboard with the system's program", () => {
    expect(browserCommand("darwin", "http://a/")).toEqual(["open", "http://a/"]);
    expect(browserCommand("linux", "http://a/")).toEqual(["xdg-open", "http://a/"]);
    expect(browserCommand("win32", "http://a/")).toEqual(["cmd", "/c", "start", "", "http://a/"]);
  });
});
