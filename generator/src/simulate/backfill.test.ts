import type { Unit, UnitSender } from "@devicemesh/client/delivery/unit";
import { describe, expect, it } from "vitest";
import { backfill } from "./backfill.ts";

/** A sender that acknowledges every unit, and its number of readings. */
function acknowledging(): { readonly sender: UnitSender; readonly units: Unit[] } {
  const units: Unit[] = [];
  const sender: UnitSender = {
    async send(unit) {
      units.push(unit);
      return { kind: "acked", accepted: unit.readings, refused: 0, refusedReadings: [] };
    },
    close() {},
  };
  return { sender, units };
}

const options = { devices: 5, seed: 7n, spanMs: 60_000, intervalMs: 10_000, target: "" };

describe("backfill", () => {
  it("sends a reading of every device for each interval of the span, and counts stored ones", async () => {
    const { sender, units } = acknowledging();
    expect(await backfill({ ...options, sender })).toBe(30);
    expect(units.reduce((sum, { readings }) => sum + readings, 0)).toBe(30);
  });

  it("ends early on a signal, without an error", async () => {
    const ending = new AbortController();
    const sender: UnitSender = {
      async send() {
        ending.abort();
        return { kind: "failed", code: "UNAVAILABLE", message: "unavailable", retryDelayMs: 60_000 };
      },
      close() {},
    };
    expect(await backfill({ ...options, sender, signal: ending.signal })).toBe(0);
  });
});
