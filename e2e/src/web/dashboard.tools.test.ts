import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "../../testing/examples/browser-fixture.ts";
import { observe } from "../../testing/examples/browser-page-fixture.ts";
import { type MeshProcess, startMesh } from "../../testing/mesh-process.ts";
import { settledBox } from "../../testing/settled-box.ts";
import {
  nextAggregates,
  publish,
  queryClient,
  seriousFindings,
  startDashboard,
} from "../../testing/web/dashboard-fixture.ts";

const minuteMs = 60_000;

/** A whole minute in the past, from which the readings of these tests run for an hour. */
const startMs = Math.floor((Date.now() - 120 * minuteMs) / minuteMs) * minuteMs;

/** A temperature a minute of two devices, with a gap of 20 minutes in one of them. */
const hour = Array.from({ length: 60 }, (_, minute) => minute).flatMap((minute) => [
  { deviceId: "attic", atMs: startMs + minute * minuteMs, temperature: 20 + Math.sin(minute / 9) / 3 },
  ...(minute < 20 || minute >= 40
    ? [{ deviceId: "cellar", atMs: startMs + minute * minuteMs, temperature: 12 + minute / 70 }]
    : []),
]);

const time = (sinceMs: number, toMs: number) =>
  `time=${new Date(sinceMs).toISOString()}..${new Date(toMs).toISOString()}`;
const wholeHour = time(startMs, startMs + 60 * minuteMs);

describe("the dashboard in Chromium on the single process", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshProcess;
  let browser: Browser;
  const open = async (hash: string, size = { width: 1280, height: 900 }): Promise<Page> => {
    const page = await browser.context.newPage();
    await page.setViewportSize(size);
    await page.goto(`http://${mesh.query}/${hash}`);
    return page;
  };
  beforeAll(async () => {
    ({ mesh, browser } = await startDashboard(running));
    await publish(mesh.ingest, hour);
  });
  afterAll(() => running.disposeAsync());

  it("shows in Explore the figures of GetAggregates, digit for digit", async () => {
    const page = await open("#/overview");
    const seen = await observe(page);
    // The very answer that the page received: another one may be merged in another order, and differ in the last digit.
    const answered = nextAggregates(page, "attic");
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/explore?${wholeHour}&zone=UTC`);
    const [attic] = await answered;
    const row = page.locator("table.figures tbody tr").filter({ hasText: "attic" });
    await row.waitFor();
    const stored = await queryClient(mesh.query).getAggregates({
      deviceIds: ["attic"],
      since: timestampFromMs(startMs),
      to: timestampFromMs(startMs + 60 * minuteMs),
    });
    expect(attic?.average).toBeCloseTo(stored.rows[0]?.average ?? 0, 12);
    expect(attic?.minimum).toBe(stored.rows[0]?.minimum);
    const shown = await row.locator("data").evaluateAll((all) => all.map((one) => one.getAttribute("value")));
    const figures = [attic?.average, attic?.minimum, attic?.maximum, attic?.standardDeviation];
    expect(shown).toEqual([...figures, attic?.first?.value, attic?.last?.value].map(String));
    expect(await row.locator("td").first().textContent()).toBe("60");
    const minimumAt = new Date(Number(attic?.minimumAt?.seconds) * 1000).toISOString();
    expect(await row.locator("small").first().textContent()).toBe(minimumAt.slice(0, 19).replace("T", " "));
    await page.getByText(/Every reading stored before .* is counted/).waitFor();
    expect(seen.complaints).toEqual([]);
  });

  it("zooms by dragging, returns by a double click, and keeps both in the URL", async () => {
    const page = await open(`#/explore?${wholeHour}`);
    const chart = page.locator(".u-over").first();
    await chart.waitFor();
    const count = page.locator("table.figures tbody tr").filter({ hasText: "attic" }).locator("td").first();
    await waitUntil(async () => (await count.textContent()) === "60", { timeoutMs: 10_000 });
    const box = await settledBox(chart);
    const timeframe = () => decodeURIComponent(/time=([^&]*)/.exec(page.url())?.[1] ?? "").split("..");
    await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await waitUntil(async () => Date.parse(timeframe()[0] ?? "") !== startMs, { timeoutMs: 10_000 });
    const [since = "", to = ""] = timeframe();
    const quarter = 15 * minuteMs;
    expect(Math.abs(Date.parse(since) - startMs - quarter)).toBeLessThan(minuteMs);
    expect(Math.abs(Date.parse(to) - startMs - 2 * quarter)).toBeLessThan(minuteMs);
    await waitUntil(async () => Math.abs(Number(await count.textContent()) - 15) <= 1, { timeoutMs: 10_000 });
    // The same URL shows the same in another page.
    const again = await open(new URL(page.url()).hash);
    await again.locator("table.figures tbody tr").filter({ hasText: "attic" }).waitFor();
    await chart.dblclick();
    await waitUntil(async () => (await count.textContent()) === "60", { timeoutMs: 10_000 });
  });

  it("shows a gap in the chart as a gap in the table beside it", async () => {
    const page = await open(`#/explore?devices=cellar&${wholeHour}&bucket=60`);
    await page.getByText("The chart as a table").click();
    const rows = page.locator("details table tbody tr");
    await waitUntil(async () => (await rows.count()) === 40, { timeoutMs: 10_000 });
    const raw = page.getByText("Raw readings", { exact: true });
    await raw.click();
    await page.getByRole("region", { name: "Raw readings" }).getByRole("row").nth(40).waitFor();
  });

  it("follows a reading within Live, and marks an old bucket that a late one changes", async () => {
    const page = await open("#/live?devices=porch&buckets=120");
    const nowMs = Date.now();
    await publish(mesh.ingest, [
      { deviceId: "porch", atMs: nowMs - 5 * minuteMs, temperature: 3 },
      { deviceId: "porch", atMs: nowMs, temperature: 4 },
    ]);
    await page.getByText("4.00 (1)").waitFor();
    await publish(mesh.ingest, [{ deviceId: "porch", atMs: nowMs - 5 * minuteMs + 1, temperature: 5 }]);
    await page.getByText(/temperature, porch, bucket of .*: 1 → 2 readings/).waitFor();
  });

  it("searches devices by name and pattern, and marks silent ones", async () => {
    const page = await open("#/overview");
    await page.getByRole("row", { name: /silent attic/ }).waitFor();
    await page.getByRole("searchbox").fill("c*r");
    await page.getByText("1 series", { exact: true }).waitFor();
    expect(await page.locator(".rows-body").getByRole("row").count()).toBe(1);
    await page.getByRole("link", { name: "cellar" }).click();
    // Its readings are older than the hour that Explore shows at first.
    await page.getByText("No readings in this timeframe.").waitFor();
    await page.getByRole("button", { name: "24 h" }).click();
    await page.getByRole("heading", { name: /temperature/i }).waitFor();
    expect(page.url()).toContain("devices=cellar");
  });

  it("compares answers with brute force in the browser, while the simulator runs with faults", async () => {
    const page = await open("#/simulator");
    await page.getByRole("button", { name: "Rough network" }).click();
    await page.getByLabel("Devices").fill("8");
    await page.getByLabel("Interval (s)").fill("0.1");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Running: 8 devices").waitFor();
    await page.getByRole("button", { name: "Ask random questions" }).click();
    await page.getByText(/Still exact: \d+ random questions equal/).waitFor({ timeout: 90_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped").waitFor();
  }, 150_000);

  it("calls any RPC from a form, and shows the same as JSON and as a command", async () => {
    const page = await open("#/api?rpc=QueryService/ListReadings");
    await page.getByLabel("device_ids").fill("attic");
    await page.getByLabel("page_size").fill("2");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("region", { name: "Answer" }).getByText('"nextPageToken"').waitFor();
    expect(await page.getByLabel("Request as JSON").inputValue()).toBe(
      '{"deviceIds":["attic"],"pageSize":2}',
    );
    const command = await page.getByRole("region", { name: "The equivalent command" }).textContent();
    expect(command).toContain(`'{"deviceIds":["attic"],"pageSize":2}' http://${mesh.query}/devicemesh.v1`);
  });

  it("can be used by keyboard alone: views, selection, crosshair, zoom", async () => {
    const page = await open("#/overview");
    await page.getByRole("row", { name: /attic/ }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    for (let step = 0; step < 3; step++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("combobox", { name: "Devices", exact: true }).waitFor();
    const chart = await open(`#/explore?devices=attic&${wholeHour}&bucket=60&zone=UTC`);
    const figure = chart.getByRole("group", { name: /Chart of 1 line in °C/ });
    await figure.focus();
    await chart.keyboard.press("ArrowLeft");
    const header = chart.locator(".legend thead th").first();
    await waitUntil(async () => /^\d{4}-/.test((await header.textContent()) ?? ""), { timeoutMs: 5000 });
    const before = chart.url();
    await chart.keyboard.press("+");
    await waitUntil(async () => chart.url() !== before, { timeoutMs: 5000 });
  });

  for (const view of ["overview", "explore", "live", "simulator", "pipeline", "api"]) {
    it(`has no serious finding of axe in ${view}, light and dark, wide and narrow`, async () => {
      for (const size of [
        { width: 1280, height: 900 },
        { width: 360, height: 740 },
      ]) {
        const page = await open(`#/${view}${view === "explore" ? `?${wholeHour}` : ""}`, size);
        await page.locator("main table, main form, main .stage, main [role=table]").first().waitFor();
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await seriousFindings(page)).toEqual([]);
        }
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow).toBeLessThanOrEqual(0);
        await page.close();
      }
    });
  }

  it("shows how long the server was unavailable, and fills the gap afterwards", async () => {
    const page = await open("#/live?devices=shed&buckets=120");
    await publish(mesh.ingest, [{ deviceId: "shed", atMs: Date.now(), temperature: 7 }]);
    await page.getByText("7.00 (1)").waitFor();
    const folder = running.use(temporaryFolder());
    await mesh.kill();
    await page.getByText(/Disconnected for .* server cannot be reached/).waitFor();
    // Another process at the same address, which the page finds by itself.
    const port = mesh.query.split(":").at(-1) ?? "";
    const restarted = await startMesh(folder.path, ["--no-generator", "--query-port", port]);
    running.defer(() => restarted.kill());
    mesh = restarted;
    const atMs = Date.now() - minuteMs;
    await publish(mesh.ingest, [{ deviceId: "shed", atMs, temperature: 8 }]);
    await page.getByText(/Connected again after/).waitFor();
    await page.getByText("8.00 (1)").waitFor();
  });
});
