import { describe, expect, it } from "vitest";
import type { DeadLetter } from "./dead-letter.ts";
import { createDuplicatesWatch } from "./duplicates-watch.ts";

const startMs = Date.UTC(2026, 10, 23, 20);

function letterOf(deviceId: string, arrivedMs: number): DeadLetter {
  return {
    origin: { topic: "messages", partition: 0, offset: 1 },
    reason: "",
    stage: "TASK_PUT",
    code: 11_000,
    key: `${deviceId}|temperature|2026-11-23T19:00:00.000Z`,
    value: null,
    arrivedMs,
  };
}

const many = (deviceId: string, count: number, arrivedMs = startMs) =>
  Array.from({ length: count }, () => ({
    letter: letterOf(deviceId, arrivedMs),
    kind: "duplicate" as const,
  }));

describe("createDuplicatesWatch", () => {
  it("names a bounded number of devices beyond the limit, the worst first", () => {
    const watch = createDuplicatesWatch({ maxPerHour: 3 });
    watch.add([...many("a", 4), ...many("b", 3), ...many("c", 9)]);
    expect(watch.problems()).toEqual([
      expect.stringMatching(/^device c has sent 9 duplicates .* 2026-11-23T20:00:00.000Z, more than 3/),
      expect.stringMatching(/^device a has sent 4 /),
    ]);
    for (let device = 0; device < 20; device++) watch.add(many(`d${device}`, 4));
    expect(watch.problems().length).toBe(5);
  });

  it("ignores redeliveries and invalid records, and counts each hour separately", () => {
    const watch = createDuplicatesWatch({ maxPerHour: 3 });
    watch.add(many("a", 9).map(({ letter }) => ({ letter, kind: "redelivery" as const })));
    watch.add(many("a", 9).map(({ letter }) => ({ letter, kind: "invalid" as const })));
    expect(watch.problems()).toEqual([]);
    watch.add(many("a", 4));
    expect(watch.problems().length).toBe(1);
    watch.add(many("a", 1, startMs + 3_600_000));
    expect(watch.problems()).toEqual([]);
    watch.add(many("a", 9, startMs));
    expect(watch.problems()).toEqual([]);
  });
});
