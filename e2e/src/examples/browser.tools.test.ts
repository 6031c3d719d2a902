import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { startEnvoy } from "@devicemesh/envoy";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, startBrowser } from "../../testing/examples/browser-fixture.ts";
import { observe, type ServedPage, servePage } from "../../testing/examples/browser-page-fixture.ts";
import {
  type Credentials,
  type MeshBehindEnvoy,
  makeCertificates,
  startMeshWithIdentity,
  startOpenMesh,
} from "../../testing/examples/mesh-behind-envoy-fixture.ts";

const service = "/devicemesh.v1.QueryService";
const calls = [`${service}/GetAggregates`, `${service}/WatchAggregates`];

let served: ServedPage;
const running = new AsyncDisposableStack();
beforeAll(async () => {
  served = running.use(await servePage());
});
afterAll(() => running.disposeAsync());

/** Opens the page in a tab, with the address of the mesh. */
async function open(browser: Browser, address: string, origin = served.origin) {
  const page = await browser.context.newPage();
  const seen = await observe(page);
  await page.goto(`${origin}/?address=${address}`);
  return { page, seen };
}

/** A time in a 10-second window that has ended. */
const earlierMs = Math.floor(Date.now() / 10_000) * 10_000 - 60_000;
const readings = (...temperatures: readonly number[]) =>
  temperatures.map((temperature, index) => ({ atMs: earlierMs + index * 1000, temperature }));

const isLive = (page: Page) => page.getByText("live", { exact: true }).waitFor();
/** The figures of the newest window: average, minimum, maximum, readings. */
const newest = (page: Page) => page.locator("#newest dd").allTextContents();
/** Waits for these figures. */
const shows = (page: Page, figures: readonly string[]) =>
  waitUntil(async () => `${await newest(page)}` === `${figures}`, { timeoutMs: 20_000, what: `${figures}` });
const cellsOf = (page: Page, name: string) =>
  page.locator("#totals").getByRole("row", { name }).getByRole("cell").allTextContents();
const problemOf = async (page: Page) => {
  await page.getByRole("alert").waitFor();
  return (await page.getByRole("alert").textContent()) ?? "";
};

it("the bundle leaves out the rules of validation, and stays small", () => {
  const folder = join(served.folder, "assets");
  const name = readdirSync(folder).find((file) => file.endsWith(".js")) ?? "";
  const bundle = readFileSync(join(folder, name));
  expect(bundle.toString()).not.toMatch(/buf[./]validate/);
  // With them it is half as large again: 209 KB, 53 KB in gzip.
  expect(bundle.length).toBeLessThan(150_000);
  expect(gzipSync(bundle).length).toBeLessThan(45_000);
});

describe("in Chromium, in cleartext over HTTP/1.1, from another origin", () => {
  let mesh: MeshBehindEnvoy;
  let browser: Browser;
  let address: string;
  beforeAll(async () => {
    mesh = running.use(await startOpenMesh([served.origin]));
    browser = running.use(await startBrowser());
    address = `http://127.0.0.1:${mesh.envoy.plain.port}`;
    await mesh.publish("kitchen", readings(20, 21, 23));
  });

  it("the page queries and watches, and shows figures with units and their coverage", async () => {
    const { page, seen } = await open(browser, address);
    await isLive(page);
    expect(await newest(page)).toEqual(["21.33 °C", "20.00 °C", "23.00 °C", "3 "]);
    const [sensor, ...figures] = await cellsOf(page, "kitchen");
    expect(sensor).toBe("temperature");
    expect(figures.slice(0, 7)).toEqual(["3", "21.33", "20.00", "23.00", "1.25", "°C", "23.00"]);
    expect(await page.locator("#coverage").textContent()).toMatch(
      /^Complete through .* · 0 readings from windows, 3 raw · nothing is left out$|^Complete through .* · 3 readings from windows, 0 raw · nothing is left out$/,
    );
    expect(await page.getByRole("img").getAttribute("aria-label")).toContain("average 21.33 °C");
    for (const path of calls) {
      expect(seen.protocols.get(path)).toBe("http/1.1");
      expect(seen.preflights.get(path)).toBe(served.origin);
    }
    expect(seen.complaints).toEqual([]);
  });

  it("later readings appear one by one while the stream is open", async () => {
    await mesh.publish("terrace", readings(10));
    const { page } = await open(browser, address);
    await page.getByRole("button", { name: "terrace" }).click();
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    for (const [index, average] of ["11.00", "12.00", "13.00"].entries()) {
      await mesh.publish("terrace", readings(10, 12, 14, 16).slice(index + 1, index + 2));
      const expected = [`${average} °C`, "10.00 °C", `${12 + 2 * index}.00 °C`, `${index + 2} `];
      await shows(page, expected);
    }
    expect(await page.evaluate(() => Object.hasOwn(window, "sameDocument"))).toBe(true);
  });

  it("the arrow keys choose a window, and a table lists all of them", async () => {
    await mesh.publish("attic", [...readings(30), { atMs: earlierMs - 10_000, temperature: 25 }]);
    const { page } = await open(browser, address);
    await page.getByRole("button", { name: "attic" }).click();
    await shows(page, ["30.00 °C", "30.00 °C", "30.00 °C", "1 "]);
    await page.getByRole("img").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    expect((await newest(page))[0]).toBe("25.00 °C");
    await page.getByText("The windows as a table").click();
    expect(await page.locator("#windows tbody td:nth-of-type(2)").allTextContents()).toEqual([
      "30.00",
      "25.00",
    ]);
  });

  it("the page follows the system's choice of dark or light", async () => {
    const { page } = await open(browser, address);
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    expect([light, await background()]).toEqual(["rgb(244, 246, 248)", "rgb(15, 20, 26)"]);
  });

  it("a page of an origin that is not allowed receives no answer, and names the setting", async () => {
    await using stranger = await servePage();
    const { page, seen } = await open(browser, address, stranger.origin);
    const problem = await problemOf(page);
    expect(problem).toContain("UNKNOWN");
    expect(problem).toContain("Failed to fetch");
    expect(problem).toContain(`--cors-origin ${stranger.origin}`);
    expect(seen.preflights.get(calls[0] ?? "")).toBeUndefined();
    expect(seen.complaints.join()).toContain("blocked by CORS policy");
    expect(await page.getByRole("table").count()).toBe(0);
  });

  it("the page shows that the mesh is unavailable, and reconnects by itself", async () => {
    await using first = await startEnvoy(mesh.envoyOptions);
    const { page } = await open(browser, `http://127.0.0.1:${first.plain.port}`);
    await page.getByRole("button", { name: "kitchen" }).click();
    await isLive(page);
    await first.close();
    await page.getByText(/; again in [\d.]+ s/).waitFor();
    await using _second = await startEnvoy({ ...mesh.envoyOptions, plain: first.plain });
    await isLive(page);
    await mesh.publish("kitchen", [{ atMs: earlierMs + 5000, temperature: 40 }]);
    await shows(page, ["26.00 °C", "20.00 °C", "40.00 °C", "4 "]);
  });
});

describe("in Chromium, over TLS, with users", () => {
  let mesh: MeshBehindEnvoy;
  let browser: Browser;
  let credentials: Credentials;
  let address: string;
  beforeAll(async () => {
    credentials = running.use(makeCertificates());
    mesh = running.use(await startMeshWithIdentity(credentials, [served.origin]));
    browser = running.use(await startBrowser({ authority: credentials.authority }));
    address = `https://127.0.0.1:${mesh.envoy.public?.port}`;
    await mesh.publish("demo-kitchen", readings(20));
  });

  async function connect(page: Page, token: string): Promise<void> {
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Connect" }).click();
  }

  it("the page without a token shows the code, the text and what to do", async () => {
    const { page, seen } = await open(browser, address);
    expect(await problemOf(page)).toBe(
      "UNAUTHENTICATEDJwt is missingPaste a token that is valid: npm run certs makes one, certs/user-reader.jwt.",
    );
    expect(seen.preflights.get(calls[0] ?? "")).toBe(served.origin);
    await connect(page, "no token at all");
    await page.getByText("Jwt is not in the form of").waitFor();
    expect(await problemOf(page)).toContain("UNAUTHENTICATED");
  });

  it("a user's token queries and watches over HTTP/2, and later readings appear", async () => {
    const { page, seen } = await open(browser, address);
    await connect(page, credentials.readerToken);
    await isLive(page);
    expect(await newest(page)).toEqual(["20.00 °C", "20.00 °C", "20.00 °C", "1 "]);
    await mesh.publish("demo-kitchen", readings(20, 22).slice(1));
    await shows(page, ["21.00 °C", "20.00 °C", "22.00 °C", "2 "]);
    for (const path of calls) expect(seen.protocols.get(path)).toBe("h2");
    // The browser caches the preflight of the other call.
    expect(seen.preflights.get(calls[1] ?? "")).toBe(served.origin);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(page.url()).not.toContain("token");
  });

  it("the browser sends no request to a server with an unknown certificate authority", async () => {
    await using suspicious = await startBrowser();
    const { page, seen } = await open(suspicious, address);
    expect(await problemOf(page)).toContain("is its certificate trusted");
    expect(seen.complaints.join()).toContain("ERR_CERT_AUTHORITY_INVALID");
    expect(seen.protocols.has(calls[0] ?? "")).toBe(false);
  });

  it("a token that is revoked ends the stream, with the code and the reason", async () => {
    const { page } = await open(browser, address);
    await connect(page, credentials.readerToken);
    await isLive(page);
    const claims = JSON.parse(
      Buffer.from(credentials.readerToken.split(".")[1] ?? "", "base64url").toString(),
    );
    appendFileSync(join(credentials.folder, "denied.txt"), `token ${claims.jti}\n`);
    let atMs = earlierMs + 2000;
    await waitUntil(
      async () => {
        // A change would end the stream with the same code.
        await mesh.publish("demo-kitchen", [{ atMs: atMs++, temperature: 20 }]);
        return page.getByRole("alert").isVisible();
      },
      { everyMs: 100, timeoutMs: 20_000 },
    );
    expect(await problemOf(page)).toMatch(/^UNAUTHENTICATED.*revoked/);
  });
});
