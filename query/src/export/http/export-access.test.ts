import { afterAll, beforeAll, expect, it } from "vitest";
import { type AccessFixture, bearer, createAccessFixture } from "../../../testing/access-fixture.ts";
import { createMemoryReadingStore } from "../../../testing/memory-store/memory-reading-store.ts";
import { temperature, testNowMs } from "../../../testing/query-fixture.ts";
import type { ReadingStore } from "../../store/reading-store.ts";

let fixture: AccessFixture;
beforeAll(async () => {
  fixture = await createAccessFixture();
});
afterAll(() => fixture[Symbol.dispose]());

const paths = ["/v1/readings", "/v1/readings?format=parquet", "/v1/buckets"];

it("needs a token with the scope for reading, for whole files and ranges", async () => {
  await using running = await fixture.start();
  running.memory.append([temperature("a", -20_000)]);
  const status = async (path: string, init: RequestInit) =>
    (await fetch(`${running.baseUrl}${path}`, init)).status;
  const good = bearer(await fixture.issuer.token());
  const other = bearer(await fixture.issuer.token({ scopes: ["devicemesh.operate"] }));
  for (const path of paths) {
    for (const init of [{}, { method: "HEAD" }, { headers: { range: "bytes=0-3" } }]) {
      const headers = "headers" in init ? init.headers : {};
      const statuses = [
        await status(path, init),
        await status(path, { ...init, headers: { ...headers, ...other } }),
        await status(path, { ...init, headers: { ...headers, ...good } }),
      ];
      expect([path, ...statuses]).toEqual([path, 401, 403, "range" in headers ? 206 : 200]);
    }
  }
});

it("keeps the files of users separate", async () => {
  await using running = await fixture.start();
  running.memory.append([temperature("a", -20_000)]);
  const etagOf = async (subject: string) => {
    const headers = bearer(await fixture.issuer.token({ subject }));
    return (await fetch(`${running.baseUrl}/v1/readings`, { method: "HEAD", headers })).headers.get("etag");
  };
  const ada = await etagOf("ada");
  expect(await etagOf("ada")).toBe(ada);
  expect(await etagOf("bob")).not.toBe(ada);
});

it("is cut when the token expires in the middle", async () => {
  const memory = createMemoryReadingStore({ clock: () => testNowMs });
  memory.append(Array.from({ length: 20_000 }, (_, place) => temperature("a", -20_000 - place, place)));
  const expired = Promise.withResolvers<void>();
  const store: ReadingStore = {
    ...memory.store,
    async *scanReadings(scan, signal) {
      for await (const piece of memory.store.scanReadings(scan, signal)) {
        yield piece;
        await expired.promise;
      }
    },
  };
  await using running = await fixture.start("tokens", { store });
  const token = await fixture.issuer.token({ expiresMs: testNowMs + 60_000 });
  const response = await fetch(`${running.baseUrl}/v1/readings`, { headers: bearer(token) });
  expect(response.status).toBe(200);
  running.pass(120_000);
  expired.resolve();
  await expect(response.text()).rejects.toThrow();
});
