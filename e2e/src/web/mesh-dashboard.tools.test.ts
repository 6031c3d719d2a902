import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, startBrowser } from "../../testing/examples/browser-fixture.ts";
import { observe } from "../../testing/examples/browser-page-fixture.ts";
import {
  type MeshBehindEnvoy,
  makeCertificates,
  startMeshWithIdentity,
  startOpenMesh,
} from "../../testing/examples/mesh-behind-envoy-fixture.ts";
import { buildDashboard } from "../../testing/web/dashboard-fixture.ts";

describe("the dashboard in Chromium through Envoy", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshBehindEnvoy;
  let browser: Browser;
  beforeAll(async () => {
    await buildDashboard();
    mesh = running.use(await startOpenMesh([]));
    browser = running.use(await startBrowser());
    await mesh.publish("kitchen", [
      { atMs: Date.now() - 2000, temperature: 20 },
      { atMs: Date.now() - 1000, temperature: 23 },
    ]);
  });
  afterAll(() => running.disposeAsync());

  it("shows devices, watches them, and logs no error", async () => {
    const page = await browser.context.newPage();
    const seen = await observe(page);
    await page.goto(`http://127.0.0.1:${mesh.envoy.plain.port}/`);
    const row = page.getByRole("row", { name: /kitchen/ });
    await row.getByText("23.00").waitFor();
    await mesh.publish("kitchen", [{ atMs: Date.now(), temperature: 22 }]);
    await row.getByText("22.00").waitFor();
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.getByText("temperature, kitchen").first().waitFor();
    await mesh.publish("kitchen", [{ atMs: Date.now(), temperature: 29 }]);
    await page.getByRole("table").getByText("29.00").first().waitFor();
    expect(seen.complaints).toEqual([]);
  });

  it("asks for a required token with the reason, keeps it in memory, and shows what it allows", async () => {
    using credentials = makeCertificates();
    await using guarded = await startMeshWithIdentity(credentials, []);
    await using trusting = await startBrowser({ authority: credentials.authority });
    const page = await trusting.context.newPage();
    const seen = await observe(page);
    const address = `https://localhost:${guarded.envoy.public?.port}/`;
    await page.goto(address);
    await page
      .getByText(/needs a token \(401\)/)
      .first()
      .waitFor();
    await guarded.publish("demo-kitchen", [{ atMs: Date.now(), temperature: 21 }]);
    await page.getByLabel("Token").fill(credentials.readerToken);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("row", { name: /demo-kitchen/ }).waitFor();
    expect(seen.protocols.get("/")).toBe("h2");
    // Reading is allowed, the simulator's control is not.
    await page.getByRole("link", { name: "Simulator" }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page
      .getByText(/does not allow this \(403\)/)
      .first()
      .waitFor();
    const stored = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    expect(stored).toEqual([0, 0, ""]);
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    const hosts = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin),
    );
    expect(new Set(hosts)).toEqual(new Set([new URL(address).origin]));
    await waitUntil(() => seen.complaints.every((text) => /401|403/.test(text)), { timeoutMs: 1000 });
  });
});
