import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature } from "../../testing/query-fixture.ts";

const service = "devicemesh.v1.QueryService";

describe("JSON", () => {
  it("includes figures that are 0, and omits those of an empty bucket", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a", 0, 0), temperature("a", 25_000, 0)]);
    const ask = async (method: string, request: object) => {
      const response = await fetch(`${running.baseUrl}/${service}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
      return await response.json();
    };
    const zeros = { average: 0, minimum: 0, maximum: 0, sum: 0, standardDeviation: 0 };
    const { rows, coverage } = await ask("GetAggregates", {});
    expect(rows).toMatchObject([{ ...zeros, count: "2", first: { value: 0 } }]);
    expect(coverage).toMatchObject({ fromWindows: "0", notCovered: [] });
    const { buckets } = await ask("ListBuckets", { bucket: "10s", fill: true });
    expect(buckets).toHaveLength(3);
    expect(buckets[0].row).toMatchObject({ ...zeros, count: "1" });
    expect(buckets[1].row).toEqual({
      deviceId: "a",
      sensor: "temperature",
      unit: "°C",
      count: "0",
      quantiles: [],
    });
    expect(await ask("ListReadings", {})).toMatchObject({
      readings: [{ value: 0 }, { value: 0 }],
      nextPageToken: "",
    });
    expect(await ask("ListSeries", {})).toMatchObject({ series: [{ latest: { value: 0 } }] });
    expect((await ask("GetPipelineStatus", {})).status).toMatchObject({ duplicates: "0", problems: [] });
    // By GET, too.
    const got = await fetch(`${running.baseUrl}/${service}/GetAggregates?encoding=json&message=%7B%7D`);
    expect((await got.json()).rows).toMatchObject([zeros]);
  });

  it("is rejected for a time that does not exist, an invalid duration or an unknown name, in any protocol", async () => {
    await using running = await startTestQuery();
    const body = JSON.stringify({ since: "2026-02-30T12:00:00Z" });
    const json = { "content-type": "application/json" };
    const post = (headers: Record<string, string>, bytes: string | Uint8Array<ArrayBuffer>) =>
      fetch(`${running.baseUrl}/${service}/GetAggregates`, { method: "POST", headers, body: bytes });
    for (const response of [
      await post(json, body),
      await post({ ...json, "content-encoding": "gzip" }, new Uint8Array(gzipSync(body))),
      await fetch(
        `${running.baseUrl}/${service}/GetAggregates?encoding=json&message=${encodeURIComponent(body)}`,
      ),
    ]) {
      expect(response.status).toBe(400);
      const { code, message, details } = await response.json();
      expect([code, message]).toEqual(["invalid_argument", expect.stringMatching(/^since: .*RFC 3339/)]);
      expect(details).toMatchObject([{ type: "google.rpc.BadRequest" }]);
    }
    // A stream's message is enveloped, and its error is in the end of the stream.
    const message = Buffer.from('{"bucket":"1h"}');
    const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    const watch = await fetch(`${running.baseUrl}/${service}/WatchAggregates`, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: envelope,
    });
    expect(await watch.text()).toMatch(/invalid_argument.*bucket: .*\\"3600s\\"/);
  });

  it("an unknown number of an enum is rejected with the valid names", async () => {
    await using running = await startTestQuery();
    const response = await fetch(`${running.baseUrl}/${service}/ListReadings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"order":7}',
    });
    expect((await response.json()).message).toMatch(/^order: .*ORDER_OLDEST_FIRST, ORDER_NEWEST_FIRST/);
  });
});
