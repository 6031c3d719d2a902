import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "../../testing/examples/browser-fixture.ts";
import type { MeshProcess } from "../../testing/mesh-process.ts";
import { queryClient, seriousFindings, startDashboard } from "../../testing/web/dashboard-fixture.ts";

const recordings = fileURLToPath(new URL("../../../import/testing/recordings/", import.meta.url));

type Expected = Readonly<
  Record<string, { readonly series: Readonly<Record<string, { count: number; maximum: number }>> }>
>;
const expected = JSON.parse(readFileSync(`${recordings}expected.json`, "utf8")) as Expected;

describe("the import of recordings in the dashboard", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshProcess;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    ({ mesh, browser } = await startDashboard(running));
    page = await browser.context.newPage();
    await page.goto(`http://${mesh.query}/#/import`);
  });
  afterAll(() => running.disposeAsync());

  /** Chooses a file, answers its questions, loads it, and compares the stored data with the expected one. */
  async function load(file: string, stated: Readonly<Record<string, string>>): Promise<void> {
    await page.locator('input[type="file"]').setInputFiles(`${recordings}${file}`);
    await page.getByRole("heading", { name: "What was recognised" }).waitFor();
    for (const [name, value] of Object.entries(stated)) await page.locator(`#import-${name}`).fill(value);
    if (Object.keys(stated).length > 0) await page.getByRole("button", { name: "Inspect again" }).click();
    await page.getByRole("heading", { name: "What loading would do" }).waitFor();
    await page.getByRole("button", { name: `Load ${file}` }).click();
    await page.getByRole("heading", { name: "Loaded" }).waitFor();
    const { rows } = await queryClient(mesh.query).getAggregates({});
    const stored = new Map(rows.map((row) => [`${row.deviceId}|${row.sensor}`, row]));
    for (const [series, { count, maximum }] of Object.entries(expected[file]?.series ?? {})) {
      expect([series, Number(stored.get(series)?.count)]).toEqual([series, count]);
      expect(stored.get(series)?.maximum).toBeCloseTo(maximum, 9);
    }
  }

  it("loads a file without questions", () => load("quoted-separator.csv", {}), 120_000);

  it("recognises a history of Home Assistant", () => load("home-assistant-history.csv", {}), 120_000);

  it("shows how much of a file is sent", async () => {
    const shares: number[] = [];
    await page.exposeFunction("noteShare", (share: number) => shares.push(share));
    await page.evaluate(`new MutationObserver(() => {
      const progress = document.querySelector("progress");
      if (progress) noteShare(progress.value);
    }).observe(document.body, { subtree: true, childList: true, attributes: true })`);
    await load("quoted-separator.csv", {});
    await expect.poll(() => shares).toContain(1);
    expect(shares[0]).toBe(0);
  }, 120_000);

  it("asks for time zone and device of a table, stores nothing before, and has no serious finding of axe", async () => {
    await page.locator('input[type="file"]').setInputFiles(`${recordings}pi-wide-local-time.csv`);
    await page.locator("#import-zone").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    const { rows } = await queryClient(mesh.query).getAggregates({ deviceIds: ["pi-attic"] });
    expect(rows).toEqual([]);
    await load("pi-wide-local-time.csv", { zone: "Europe/Berlin", device: "pi-attic" });
    await page.getByRole("link", { name: "See it in Explore" }).click();
    await page.getByRole("heading", { name: "Figures" }).waitFor();
  }, 120_000);
});
