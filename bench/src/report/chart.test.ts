import { describe, expect, it } from "vitest";
import { type BarChart, barChartSvg } from "./chart.ts";

function chartOf(...medians: number[]): BarChart {
  return {
    title: "CPU <a reading>",
    subtitle: "median & range",
    axis: "µs",
    bars: medians.map((median, index) => ({
      label: `peer ${index}`,
      spread: { median, minimum: median / 1.1, maximum: median * 1.1 },
      text: `${median} µs`,
      ours: index === 0,
    })),
  };
}

/** The widths of the bars, in order; the first rectangle is the background. */
function barWidths(svg: string): number[] {
  return Array.from(svg.matchAll(/<rect [^>]*?width="([\d.]+)"/g), ([, width]) => Number(width)).slice(1);
}

function tickTexts(svg: string): string[] {
  return Array.from(svg.matchAll(/text-anchor="middle">([\d.,]+)</g), ([, text]) => text!);
}

describe("barChartSvg", () => {
  it("draws equal ratios as equal steps", () => {
    const [one, ten, hundred] = barWidths(barChartSvg(chartOf(1, 10, 100))) as [number, number, number];
    expect(ten - one).toBeGreaterThan(20);
    expect(hundred - ten).toBeCloseTo(ten - one, 0);
  });

  it("has a tick at each power of ten up to the largest figure", () => {
    expect(tickTexts(barChartSvg(chartOf(0.4, 1200)))).toEqual(["0.1", "1", "10", "100", "1,000"]);
  });

  it("has two ticks if all figures are in one decade", () => {
    expect(tickTexts(barChartSvg(chartOf(2, 3)))).toEqual(["1", "10"]);
  });

  it("draws only inside the picture", () => {
    const svg = barChartSvg(chartOf(0.4, 1200));
    const [, width] = /viewBox="0 0 (\d+)/.exec(svg)!;
    const [from] = Array.from(svg.matchAll(/<rect x="(\d+)"/g), ([, x]) => Number(x));
    expect(from! + Math.max(...barWidths(svg))).toBeLessThan(Number(width) - 200);
  });

  it("draws a bar for the smallest figure, also if it is a power of ten", () => {
    for (const width of barWidths(barChartSvg(chartOf(1.1, 11)))) expect(width).toBeGreaterThan(1);
  });

  it("escapes text", () => {
    const svg = barChartSvg(chartOf(1));
    expect(svg).toContain("CPU &lt;a reading&gt;");
    expect(svg).toContain("median &amp; range");
    expect(svg).not.toContain("<a reading>");
  });

  it("rejects figures that have no logarithm", () => {
    expect(() => barChartSvg(chartOf(0))).toThrow(RangeError);
    expect(() => barChartSvg(chartOf(Number.NaN))).toThrow(RangeError);
  });
});
