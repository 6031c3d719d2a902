import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { createHttpRoutes } from "@devicemesh/kit/server/http-routes";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type WebOptions, webRoutes } from "./web-routes.ts";

const facts = () => ({ ingest: "a:1", query: "a:2", generator: "a:3", data: "secret", dataKind: "a folder" });
const script = "console.log('dashboard');".repeat(40);
const index = '<!doctype html><script type="module" src="/assets/index-1a2b.js"></script>';

type Answer = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: Buffer };

/** A server with these routes, and a client that returns the raw response. */
async function startWeb(options: Partial<WebOptions>) {
  const handler = createHttpRoutes(webRoutes({ facts, ...options }));
  const server = await startOnePortServer({ host: "127.0.0.1", port: 0, handler, shutdownGraceMs: 100 });
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<Answer>((resolve, reject) => {
      const call = request({ host: "127.0.0.1", port: server.port, path, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      call.on("error", reject).end();
    });
  return { get, close: () => server.close() };
}

describe("webRoutes", () => {
  const running = new AsyncDisposableStack();
  let web: Awaited<ReturnType<typeof startWeb>>;
  beforeAll(async () => {
    const folder = running.use(temporaryFolder()).path;
    mkdirSync(join(folder, "assets"));
    for (const [name, text] of [
      ["index.html", index],
      ["assets/index-1a2b.js", script],
    ] as const) {
      writeFileSync(join(folder, name), text);
      writeFileSync(join(folder, `${name}.gz`), gzipSync(text));
      writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text));
    }
    writeFileSync(join(folder, ".stamp"), "not served");
    web = await startWeb({ folder });
    running.defer(web.close);
  });
  afterAll(() => running.disposeAsync());

  it("lets hashed files be cached forever, and serves the best encoding that the client accepts", async () => {
    const path = "/assets/index-1a2b.js";
    const brotli = await web.get(path, { "accept-encoding": "gzip, deflate, br" });
    expect(brotli.headers).toMatchObject({
      "content-encoding": "br",
      "cache-control": "public, max-age=31536000, immutable",
      "content-type": "text/javascript; charset=utf-8",
      vary: "accept-encoding",
    });
    expect(brotliDecompressSync(brotli.body).toString()).toBe(script);
    const gzip = await web.get(path, { "accept-encoding": "gzip, br;q=0" });
    expect(gunzipSync(gzip.body).toString()).toBe(script);
    const plain = await web.get(path);
    expect([plain.body.toString(), plain.headers["content-encoding"]]).toEqual([script, undefined]);
  });

  it("lets a browser cache the page only while it is unchanged", async () => {
    const first = await web.get("/");
    expect([first.status, first.headers["cache-control"]]).toEqual([200, "no-cache"]);
    const again = await web.get("/", { "if-none-match": `W/"x", ${first.headers.etag}` });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const other = await web.get("/", { "if-none-match": '"another"' });
    expect(other.status).toBe(200);
  });

  it("allows only files of its own origin, and nothing inline", async () => {
    for (const path of ["/", "/assets/index-1a2b.js", "/latest", "/facts.json", "/assets/none.js"]) {
      const policy = String((await web.get(path)).headers["content-security-policy"]);
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
      expect(policy).not.toMatch(/unsafe|\*|http/);
    }
  });

  it("serves only the built files, by their names", async () => {
    for (const path of [
      "/assets/none.js",
      "/assets/../.stamp",
      "/assets/%2e%2e/.stamp",
      "/.stamp",
      "/assets/index-1a2b.js.br",
    ])
      expect((await web.get(path)).status).toBe(404);
    expect((await web.get("/", {}, "POST")).status).toBe(405);
    const head = await web.get("/", {}, "HEAD");
    expect([head.status, head.body.length]).toEqual([200, 0]);
  });

  it("returns the addresses of the services from the view of the request", async () => {
    const { body } = await web.get("/facts.json", { host: "here.example:9" });
    const answer = JSON.parse(body.toString());
    expect(answer).toMatchObject({ signIn: false, calls: { query: "here.example:9", ingest: "a:1" } });
  });
});

describe("webRoutes for browsers without JavaScript", () => {
  const readLatest = async () => ({
    readings: [
      { deviceId: '<b>"kitchen"', sensor: "temperature", unit: "°C", count: 3n, value: 21.25, atMs: 1000 },
    ],
    total: 7,
  });

  it("shows the latest values as a table, escaped", async () => {
    const web = await startWeb({ readLatest });
    const page = (await web.get("/latest")).body.toString();
    expect(page).toContain("&lt;b>&quot;kitchen&quot;");
    expect(page).toContain("21.25 °C");
    expect(page).toContain("1970-01-01T00:00:01.000Z");
    expect(page).toContain("1 of 7 series");
    await web.close();
  });

  it("shows the table at / with a notice if the dashboard is not built", async () => {
    using folder = temporaryFolder();
    const web = await startWeb({ readLatest, folder: folder.path });
    const page = (await web.get("/")).body.toString();
    expect(page).toContain("The dashboard is not built");
    expect(page).toContain("21.25 °C");
    await web.close();
  });

  it("shows no values if calls need a token, and a notice if they cannot be read", async () => {
    const guarded = await startWeb({});
    expect((await guarded.get("/latest")).body.toString()).toContain("need a token");
    await guarded.close();
    const failing = await startWeb({ readLatest: () => Promise.reject(new Error("unavailable")) });
    const { status, body } = await failing.get("/latest");
    expect([status, body.toString().includes("unavailable")]).toEqual([200, true]);
    await failing.close();
  });
});
