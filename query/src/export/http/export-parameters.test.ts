import { expect, it } from "vitest";
import { exportParameters } from "./export-parameters.ts";

const parameters = (query: string) =>
  exportParameters(new URLSearchParams(query), { kind: "buckets", windowMs: 10_000, nowMs: 0 });

it("accepts a bucket of a size, or of the calendar of the zone", () => {
  expect(parameters("").sizing).toEqual({ kind: "fixed", sizeMs: 3_600_000 });
  expect(parameters("bucket=10m").sizing).toEqual({ kind: "fixed", sizeMs: 600_000 });
  expect(parameters("bucket=month&zone=Asia/Kathmandu").sizing).toEqual({
    kind: "calendar",
    unit: "month",
    zone: "Asia/Kathmandu",
  });
  expect(parameters("bucket=week").sizing).toEqual({ kind: "calendar", unit: "week", zone: "UTC" });
  expect(() => parameters("bucket=fortnight")).toThrow(/bucket.*week/);
});
