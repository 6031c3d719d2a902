import { describe, expect, it } from "vitest";
import { stateOf } from "./device-state.ts";

const nowMs = 1e12;
const series = (deviceId: string, ageMs: number | undefined) => ({
  ...{ key: deviceId, deviceId, sensor: "s", unit: "", count: 1n, latestValue: 1 },
  latestMs: ageMs === undefined ? undefined : nowMs - ageMs,
});

describe("the state of a device", () => {
  it("follows from the age of its latest reading", () => {
    const kinds = [0, 60_000, 60_001, -4000, -5001].map((age) => stateOf(series("a", age), nowMs).kind);
    expect(kinds).toEqual(["online", "online", "silent", "online", "ahead"]);
    expect(stateOf(series("a", undefined), nowMs).kind).toBe("silent");
  });
});
