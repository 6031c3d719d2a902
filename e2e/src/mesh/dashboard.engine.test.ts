import { fileURLToPath } from "node:url";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { importRecordings } from "@devicemesh/import/testing/run-import";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, startBrowser } from "../../testing/examples/browser-fixture.ts";
import { observe, type Seen } from "../../testing/examples/browser-page-fixture.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { settledBox } from "../../testing/settled-box.ts";
import { buildDashboard, nextAggregates, publish } from "../../testing/web/dashboard-fixture.ts";

const engines = await testEngines();
const minuteMs = 60_000;
/** The chain catches up within this on a slow machine. */
const limitMs = 120_000;
const startMs = Math.floor((Date.now() - 120 * minuteMs) / minuteMs) * minuteMs;
const hour = `time=${new Date(startMs).toISOString()}..${new Date(startMs + 60 * minuteMs).toISOString()}`;
const recording = fileURLToPath(
  new URL("../../../import/testing/recordings/quoted-separator.csv", import.meta.url),
);

/** A temperature a minute of the attic for an hour. */
const attic = Array.from({ length: 60 }, (_, minute) => ({
  deviceId: "attic",
  atMs: startMs + minute * minuteMs,
  temperature: 20 + Math.sin(minute / 9) / 3,
}));

describe.skipIf(engines === undefined)(
  "the dashboard in Chromium, through Envoy, on the real engines",
  () => {
    const running = new AsyncDisposableStack();
    let mesh: RealMesh;
    let page: Page;
    let seen: Seen;
    beforeAll(async () => {
      await buildDashboard();
      mesh = running.use(await startRealMesh(engines!, "dashboard"));
      const browser: Browser = running.use(await startBrowser());
      page = await browser.context.newPage();
      page.setDefaultTimeout(limitMs);
      seen = await observe(page);
      await page.goto(`http://${mesh.address}/`);
    }, 300_000);
    afterAll(() => running.disposeAsync(), 60_000);

    const show = (hash: string): Promise<void> =>
      page.evaluate((wanted) => {
        location.hash = wanted;
      }, hash);

    it("leads from an empty mesh to simulated devices that move", async () => {
      await page.getByRole("heading", { name: "No readings are stored yet" }).waitFor();
      await page.getByRole("link", { name: "Open the simulator" }).click();
      await page.getByLabel("Devices").fill("8");
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.getByText("Running: 8 devices").waitFor();
      await show("#/overview");
      const row = page.getByRole("row", { name: /online thermostat-0001/ });
      await row.waitFor();
      const count = () => row.locator(".cell-count").textContent();
      const before = await count();
      await waitUntil(async () => (await count()) !== before, { timeoutMs: limitMs });
      await show("#/pipeline");
      await page.getByRole("row", { name: /Window job \(Spark\) RUNNING/ }).waitFor();
      await show("#/simulator");
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await page.getByText("Stopped", { exact: true }).waitFor();
    });

    it("shows in Explore the figures of GetAggregates, digit for digit, and zooms into them", async () => {
      await publish(mesh.address, attic);
      await mesh.untilComplete();
      const answered = nextAggregates(page, "attic");
      await show(`#/explore?devices=attic&${hour}&zone=UTC`);
      const figures = (await answered).find(({ deviceId }) => deviceId === "attic");
      const row = page.locator("table.figures tbody tr").filter({ hasText: "attic" });
      await row.waitFor();
      const shown = await row
        .locator("data")
        .evaluateAll((all) => all.map((one) => one.getAttribute("value")));
      const wanted = [figures?.average, figures?.minimum, figures?.maximum, figures?.standardDeviation];
      expect(shown).toEqual([...wanted, figures?.first?.value, figures?.last?.value].map(String));
      const temperatures = attic.map(({ temperature }) => temperature);
      expect(figures?.count).toBe(60n);
      expect(figures?.minimum).toBe(Math.min(...temperatures));
      expect(figures?.maximum).toBe(Math.max(...temperatures));
      const chart = page.locator(".u-over").first();
      const box = await settledBox(chart);
      await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
      await page.mouse.up();
      const count = row.locator("td").first();
      await waitUntil(async () => Math.abs(Number(await count.textContent()) - 15) <= 1, {
        timeoutMs: limitMs,
      });
      await chart.dblclick();
      await waitUntil(async () => (await count.textContent()) === "60", { timeoutMs: limitMs });
    });

    it("follows a reading in Live, and marks the old bucket that a late one changes", async () => {
      await show("#/live?devices=porch&buckets=120");
      const nowMs = Date.now();
      await publish(mesh.address, [
        { deviceId: "porch", atMs: nowMs - 5 * minuteMs, temperature: 3 },
        { deviceId: "porch", atMs: nowMs, temperature: 4 },
      ]);
      await page.getByText("4.00 (1)").waitFor();
      await publish(mesh.address, [{ deviceId: "porch", atMs: nowMs - 5 * minuteMs + 1, temperature: 5 }]);
      await page.getByText(/temperature, porch, bucket of .*: 1 → 2 readings/).waitFor();
    });

    it("shows a recording that was imported through the same address", async () => {
      const { code, output } = await importRecordings([recording, "--to", mesh.address]);
      expect(code, output).toBe(0);
      await mesh.untilComplete();
      await show("#/explore?devices=a&time=2026-01-01T00:00:00.000Z..2026-01-02T00:00:00.000Z");
      const row = page.locator("table.figures tbody tr").filter({ hasText: "temperature, a" });
      await waitUntil(async () => (await row.locator("td").first().textContent()) === "6", {
        timeoutMs: limitMs,
      });
      expect(await row.locator("data").nth(2).getAttribute("value")).toBe("21");
      expect(seen.complaints).toEqual([]);
    });
  },
);
