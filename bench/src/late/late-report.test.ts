import { expect, it } from "vitest";
import type { Burst } from "./burst.ts";
import { lateReport } from "./late-report.ts";

const inOrder: Burst = {
  isLate: false,
  readings: 200_000,
  partials: 21_000,
  readingBytes: 190,
  partialBytes: 380,
  readingsSinkSeconds: 20,
  partialsSinkSeconds: 2,
  coveredSeconds: 25,
  answersMs: [10, 20],
};

it("the report of late readings has partials, bytes and times of both bursts", () => {
  const late = { ...inOrder, isLate: true, partials: 190_000, partialsSinkSeconds: 19, coveredSeconds: 60 };
  const { markdown } = lateReport({
    kind: "late",
    machine: { cpu: "A CPU", cores: 2, memoryGib: 8, system: "Linux 6", node: "v24", day: "2026-11-25" },
    load: { before: 0.5, during: { median: 3, minimum: 1, maximum: 4 } },
    bursts: [inOrder, late],
    database: "stand-in",
  });
  expect(markdown).toContain("| What | in order | anywhere in a day |");
  expect(markdown).toContain("for each reading | 0.105 | 0.950 |");
  expect(markdown).toContain("bytes of its partials, for each reading | 39.9 | 361 |");
  expect(markdown).toContain("partials stored by their sink, documents/s | 10,500 | 10,000 |");
  expect(markdown).toContain("p50 / p99, ms | 10.0 / 20.0 | 10.0 / 20.0 |");
});
