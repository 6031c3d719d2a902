import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "../../testing/examples/browser-fixture.ts";
import { observe } from "../../testing/examples/browser-page-fixture.ts";
import type { MeshProcess } from "../../testing/mesh-process.ts";
import { keepScreenshot, startDashboard } from "../../testing/web/dashboard-fixture.ts";

describe("the first minute of npm start", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshProcess;
  let browser: Browser;
  beforeAll(async () => {
    ({ mesh, browser } = await startDashboard(running, ["--devices", "12"]));
  });
  afterAll(() => running.disposeAsync());

  async function open(hash: string, width: number, height: number): Promise<Page> {
    const page = await browser.context.newPage();
    await page.setViewportSize({ width, height });
    await page.goto(`${/^open (\S+)\n/.exec(mesh.output())?.[1]}${hash}`);
    return page;
  }

  it("has charts of the last day and live devices, and contacts no other host", async () => {
    const page = await open("", 1440, 900);
    const seen = await observe(page);
    const row = page.getByRole("row", { name: /thermostat-0001/ });
    await row.waitFor();
    await page.locator(".sensor canvas").nth(3).waitFor();
    const age = () => row.locator(".cell-count").textContent();
    const before = await age();
    await waitUntil(async () => (await age()) !== before, { timeoutMs: 10_000 });
    await page
      .getByText(/^Live$/)
      .first()
      .waitFor();
    await keepScreenshot(page, "overview-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${page.url().split("#")[0]}#/explore?time=24h`);
    await page.locator("table.figures tbody tr").nth(3).waitFor();
    // A reading every 10 s of each of three thermostats, in the day that ends now.
    const count = await page.locator("table.figures tbody tr").nth(3).locator("td").first().textContent();
    expect(Math.abs(Number(count?.replaceAll(",", "")) - 25_920)).toBeLessThan(400);
    await keepScreenshot(page, "explore-dark");
    const origins = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin),
    );
    expect([...new Set(origins)]).toEqual([`http://${mesh.query}`]);
    expect(seen.complaints).toEqual([]);
  });

  it("loads the sample year and shows it", async () => {
    const page = await open("", 1440, 900);
    await page.getByRole("button", { name: "Load the sample year" }).click();
    const rows = page.locator("table.figures tbody tr");
    await rows.nth(1).waitFor({ timeout: 30_000 });
    const names = await rows.locator("th").allTextContents();
    expect(names).toEqual(["pressure, seattle-barometer", "temperature, seattle-thermostat"]);
    const counts = await rows.locator("td:first-of-type").allTextContents();
    expect(counts).toEqual(["8,759", "8,759"]);
    await keepScreenshot(page, "sample-year-light");
  });

  it("fits the screen of a phone, where one tap reaches every view", async () => {
    const page = await open("#/overview", 390, 844);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByRole("row", { name: /thermostat-0001/ }).waitFor();
    await keepScreenshot(page, "overview-phone");
    for (const [name, text] of [
      ["Explore", "Figures"],
      ["Live", "Newest buckets"],
      ["Simulator", "Still exact?"],
      ["Pipeline", "Parts"],
      ["API", "Request"],
    ] as const) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { name: text, exact: true }).waitFor();
    }
  });

  it("without JavaScript shows the latest values as a table", async () => {
    const context = await browser.context.browser()?.newContext({ javaScriptEnabled: false });
    const page = await (context ?? browser.context).newPage();
    await page.goto(`http://${mesh.query}/latest`);
    await page.getByRole("row", { name: /thermostat-0001 temperature/ }).waitFor();
    expect(await page.getByRole("link", { name: "Dashboard" }).getAttribute("href")).toBe("/");
    await page.close();
  });

  it("uses the width of wide screens", async () => {
    const page = await open("#/live?buckets=120", 2560, 1440);
    await page.getByRole("heading", { name: "Newest buckets" }).waitFor();
    await keepScreenshot(page, "live-wide");
    const page2 = await open("#/simulator", 1440, 900);
    await page2.getByRole("button", { name: "Ask random questions" }).click();
    await page2.getByText(/Still exact:/).waitFor({ timeout: 90_000 });
    await keepScreenshot(page2, "simulator-light");
    const page3 = await open("#/pipeline", 1440, 900);
    await page3.emulateMedia({ colorScheme: "dark" });
    await page3.getByRole("heading", { name: "Parts" }).waitFor();
    await keepScreenshot(page3, "pipeline-dark");
  }, 150_000);
});
