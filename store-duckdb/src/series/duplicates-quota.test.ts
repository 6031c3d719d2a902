import { sensors } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createDuplicatesQuota } from "../admission.ts";
import { createFoundDuplicates } from "../append/duckdb-duplicates.ts";
import { createSeriesRegistry } from "./series-registry.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 30);
const temperature = sensors.findIndex(({ sensor }) => sensor === "temperature");

function setUp() {
  let nowMs = startMs;
  const registry = createSeriesRegistry([]);
  const code = registry.codeOf("a", temperature);
  registry.codeOf("b", temperature);
  registry.advance(code, startMs);
  const quota = createDuplicatesQuota({ maxPerHour: 3, registry, nowMs: () => nowMs });
  return {
    quota,
    repeat(times: number) {
      const { found, add } = createFoundDuplicates(nowMs);
      for (let time = 0; time < times; time++) add(code, startMs, { stored: 1, refused: time % 2 });
      quota.add(found);
    },
    setClock(ms: number) {
      nowMs = ms;
    },
  };
}

describe("the quota of duplicates of a device and hour", () => {
  it("rejects possible duplicates of this device only once it is exceeded, and accepts new readings", () => {
    const { quota, repeat } = setUp();
    repeat(3);
    expect(quota.admit("a", temperature, startMs)).toBeUndefined();
    repeat(1);
    expect(quota.admit("a", temperature, startMs)).toContain("more than 3 duplicates and conflicts");
    expect(quota.admit("a", temperature, startMs)).toContain("2026-11-23T21:00:00.000Z");
    expect(quota.admit("a", temperature, startMs + 1)).toBeUndefined();
    expect(quota.admit("a", temperature + 1 < sensors.length ? temperature + 1 : 0, startMs)).toBeUndefined();
    expect(quota.admit("b", temperature, startMs - 1)).toBeUndefined();
  });

  it("begins again with the next hour", () => {
    const { quota, repeat, setClock } = setUp();
    repeat(4);
    setClock(Date.UTC(2026, 10, 23, 21));
    expect(quota.admit("a", temperature, startMs)).toBeUndefined();
    repeat(3);
    expect(quota.admit("a", temperature, startMs)).toBeUndefined();
  });
});
