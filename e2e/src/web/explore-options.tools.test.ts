import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "../../testing/examples/browser-fixture.ts";
import type { MeshProcess } from "../../testing/mesh-process.ts";
import { nextAggregates, publish, startDashboard } from "../../testing/web/dashboard-fixture.ts";

const minuteMs = 60_000;
const startMs = Math.floor((Date.now() - 120 * minuteMs) / minuteMs) * minuteMs;
const hour = `time=${new Date(startMs).toISOString()}..${new Date(startMs + 60 * minuteMs).toISOString()}`;
const fleet = 1300;

/** Many devices with a reading each, and one whose hour has a gap of 20 minutes. */
const temperatures = [
  ...Array.from({ length: fleet }, (_, place) => ({
    deviceId: `unit-${String(place).padStart(4, "0")}`,
    atMs: startMs + place,
    temperature: place % 40,
  })),
  ...Array.from({ length: 60 }, (_, minute) => minute)
    .filter((minute) => minute < 20 || minute >= 40)
    .map((minute) => ({ deviceId: "cellar", atMs: startMs + minute * minuteMs, temperature: minute / 3 })),
];

describe("many devices, percentiles, time-weighted averages and gaps in the dashboard", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshProcess;
  let browser: Browser;
  const open = async (hash: string): Promise<Page> => {
    const page = await browser.context.newPage();
    await page.goto(`http://${mesh.query}/${hash}`);
    return page;
  };
  beforeAll(async () => {
    ({ mesh, browser } = await startDashboard(running));
    for (let first = 0; first < temperatures.length; first += 1000)
      await publish(mesh.ingest, temperatures.slice(first, first + 1000));
  });
  afterAll(() => running.disposeAsync());

  it("lists devices a page at a time, in the order that is chosen, to the last one", async () => {
    const page = await open("#/overview");
    await page.getByText(/1,301 series; scroll for more than/).waitFor();
    const rows = page.locator(".rows-body");
    const last = rows.getByRole("row", { name: /unit-1299/ });
    await waitUntil(
      async () => {
        await rows.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return last.isVisible();
      },
      { timeoutMs: 30_000 },
    );
    await page.getByLabel("Order").selectOption("latest");
    // The last minute of the cellar is later than the moments of all others.
    await waitUntil(async () => /cellar/.test((await rows.getByRole("row").first().textContent()) ?? ""), {
      timeoutMs: 10_000,
    });
    await page.getByRole("searchbox").fill("unit-00*");
    await page.getByText("100 series", { exact: true }).waitFor();
  }, 60_000);

  it("shows the percentiles of the server, digit for digit, in figures, legend and table", async () => {
    const page = await open("#/overview");
    // The very answer that the page received, as the server computed it.
    const answered = nextAggregates(page, "cellar");
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/explore?devices=cellar&${hour}&bucket=600&curves=percentiles`);
    const row = page.locator("table.figures tbody tr").filter({ hasText: "cellar" });
    await row.waitFor();
    const [answer] = await answered;
    const wanted = answer?.quantiles.map(({ value }) => value) ?? [];
    const shown = await row.locator("data").evaluateAll((all) => all.map((one) => one.getAttribute("value")));
    expect(shown.slice(6)).toEqual(wanted.map(String));
    const sorted = temperatures
      .filter(({ deviceId }) => deviceId === "cellar")
      .map((each) => each.temperature);
    expect(wanted).toHaveLength(4);
    expect(wanted[0]).toBeCloseTo(((sorted[19] ?? 0) + (sorted[20] ?? 0)) / 2, 9);
    expect(wanted[3]).toBeCloseTo((sorted[38] ?? 0) + 0.61 * ((sorted[39] ?? 0) - (sorted[38] ?? 0)), 9);
    await page.locator(".legend th", { hasText: "p99" }).waitFor();
  }, 60_000);

  it("shows the time-weighted averages of the server for the chosen longest hold", async () => {
    const page = await open("#/overview");
    const answered = nextAggregates(page, "cellar");
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/explore?devices=cellar&${hour}&bucket=600&curves=weighted&hold=3600`);
    const row = page.locator("table.figures tbody tr").filter({ hasText: "cellar" });
    await row.waitFor();
    const [answer] = await answered;
    const wanted = answer?.timeWeightedAverage;
    const shown = await row.locator("data").evaluateAll((all) => all.map((one) => one.getAttribute("value")));
    expect(shown.slice(6)).toEqual([String(wanted?.value)]);
    // Minutes 0 to 59, except for a gap of 20, in which the value before it holds.
    const minutes = Array.from({ length: 60 }, (_, minute) => (minute < 20 || minute >= 40 ? minute : 19));
    expect(wanted?.coveredSeconds).toBe(3600);
    expect(wanted?.value).toBeCloseTo(minutes.reduce((sum, minute) => sum + minute / 3, 0) / 60, 9);
    await page.locator(".legend th", { hasText: "Time-weighted" }).waitFor();
    // A value that holds for a minute only leaves the gap out: the average of the readings.
    await page.getByLabel("Values hold at most").selectOption("60");
    await waitUntil(
      async () => {
        const figures = row.locator("data");
        const all = await figures.evaluateAll((each) => each.map((one) => one.getAttribute("value")));
        return all[6] !== undefined && Math.abs(Number(all[6]) - Number(all[0])) < 1e-9;
      },
      { timeoutMs: 10_000 },
    );
  }, 60_000);

  it("draws a straight line over a gap if that is chosen, and keeps it in the URL", async () => {
    const page = await open(`#/explore?devices=cellar&${hour}&bucket=60`);
    await page.getByText("The chart as a table").click();
    const rows = page.locator("details table tbody tr");
    await waitUntil(async () => (await rows.count()) === 40, { timeoutMs: 10_000 });
    await page.getByLabel("Empty buckets").selectOption("linear");
    await waitUntil(async () => (await rows.count()) === 60, { timeoutMs: 10_000 });
    expect(page.url()).toContain("fill=linear");
  }, 60_000);
});
