import { expect, it } from "vitest";
import { isSegmentDue } from "./segment-due.ts";

const due = (watermarkMs: number | undefined, logMs = 42_000): boolean =>
  isSegmentDue({ logMs, watermarkMs, segmentMs: 10_000 });

it("a segment is due from its end until Spark's watermark has reached it", () => {
  expect(due(39_000, 39_999)).toBe(false);
  expect(due(39_000, 40_000)).toBe(true);
  expect(due(39_999)).toBe(true);
  expect(due(40_000)).toBe(false);
});

it("no segment is due while Spark has no watermark or works off a backlog", () => {
  expect(due(undefined)).toBe(false);
  expect(due(29_999)).toBe(false);
  expect(due(0)).toBe(false);
});
