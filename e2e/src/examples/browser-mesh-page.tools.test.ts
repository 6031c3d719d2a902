import { execFile } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { promisify } from "node:util";
import { findGrpcurl } from "@devicemesh/engines/testing/host-tools";
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

describe("the page of the mesh, in Chromium through Envoy", () => {
  const running = new AsyncDisposableStack();
  let mesh: MeshBehindEnvoy;
  let browser: Browser;
  beforeAll(async () => {
    mesh = running.use(await startOpenMesh([]));
    browser = running.use(await startBrowser());
    await mesh.publish("kitchen", [
      { atMs: Date.now() - 2000, temperature: 20 },
      { atMs: Date.now() - 1000, temperature: 23 },
      // Of a clock that is ahead: not of the last hour.
      { atMs: Date.now() + 70_000, temperature: 50 },
    ]);
  });
  afterAll(() => running.disposeAsync());

  it("shows figures, follows them, and has nothing to complain of", async () => {
    const page = await browser.context.newPage();
    const seen = await observe(page);
    await page.goto(`http://127.0.0.1:${mesh.envoy.plain.port}/`);
    const stored = () => page.locator("#stored").textContent();
    await waitUntil(async () => (await stored()) === "3", { timeoutMs: 15_000 });
    expect(await page.locator("#series").textContent()).toBe("1");
    expect(await page.locator("#complete").textContent()).toMatch(/\d:\d\d:\d\d/);
    expect(await page.locator("#sensors tbody tr").first().locator("th, td").allTextContents()).toEqual([
      ...["temperature", "2", "21.50", "20.00", "23.00", "°C"],
    ]);
    await mesh.publish("kitchen", [{ atMs: Date.now(), temperature: 22 }]);
    await waitUntil(async () => (await stored()) === "4", { timeoutMs: 15_000 });
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(seen.complaints).toEqual([]);
  });

  it("shows calls that work as they are", async () => {
    const page = await browser.context.newPage();
    await page.goto(`http://127.0.0.1:${mesh.envoy.plain.port}/`);
    const lines = (await page.locator("pre").allTextContents()).flatMap((text) => text.split("\n"));
    expect(lines).toHaveLength(13);
    const grpcurl = findGrpcurl();
    if (grpcurl === undefined) throw new Error("there is no grpcurl: npm test installs it with Go");
    const env = { ...process.env, PATH: `${dirname(grpcurl)}${delimiter}${process.env.PATH}` };
    // A watch does not end.
    for (const line of lines.filter((line) => !line.includes("WatchAggregates"))) {
      const { stdout } = await promisify(execFile)("sh", ["-c", line], { env });
      expect(stdout.trim()).not.toBe("");
    }
  });

  it("is open where users need a token, and says why it has no figures", async () => {
    using credentials = makeCertificates();
    await using guarded = await startMeshWithIdentity(credentials, []);
    await using trusting = await startBrowser({ authority: credentials.authority });
    const page = await trusting.context.newPage();
    const seen = await observe(page);
    await page.goto(`https://localhost:${guarded.envoy.public?.port}/`);
    await page.getByText("No figures here: unauthenticated: Jwt is missing").waitFor();
    expect(seen.protocols.get("/")).toBe("h2");
    const protocols = await page.evaluate(() =>
      performance.getEntriesByType("resource").map((entry) => entry.toJSON().nextHopProtocol),
    );
    expect(new Set(protocols)).toEqual(new Set(["h2"]));
  });
});
