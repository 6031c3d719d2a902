import { Code } from "@connectrpc/connect";
import { SeriesOrder, SeriesState } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect, it } from "vitest";
import { failureOf, startTestQuery, temperature } from "../../testing/query-fixture.ts";

const minuteMs = 60_000;

it("lists series with the age of their latest reading and whether they are silent, filtered and in any order, page by page", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  const offsets = { "hall-1": -1000, "hall-2": -10 * minuteMs, roof: -4 * minuteMs, "yard-1": 2000 };
  memory.append(Object.entries(offsets).map(([deviceId, offset]) => temperature(deviceId, offset)));
  const list = async (request: Parameters<typeof client.listSeries>[0]) => {
    const ids: string[] = [];
    let total = 0n;
    for (let pageToken = ""; ; ) {
      const page = await client.listSeries({ ...request, pageSize: 1, pageToken });
      ids.push(...page.series.map(({ deviceId }) => deviceId));
      total = page.total;
      pageToken = page.nextPageToken;
      if (pageToken === "") return { ids, total: Number(total) };
    }
  };
  expect(await list({ order: SeriesOrder.LATEST_FIRST })).toEqual({
    ids: ["yard-1", "hall-1", "roof", "hall-2"],
    total: 4,
  });
  expect(await list({ order: SeriesOrder.SILENT_LONGEST })).toEqual({
    ids: ["hall-2", "roof", "hall-1", "yard-1"],
    total: 4,
  });
  expect(await list({ state: SeriesState.SILENT })).toEqual({ ids: ["hall-2"], total: 1 });
  expect(await list({ state: SeriesState.SILENT, silentAfter: { seconds: 60n, nanos: 0 } })).toEqual({
    ids: ["hall-2", "roof"],
    total: 2,
  });
  expect(await list({ state: SeriesState.ONLINE, search: { case: "devicePrefix", value: "hall" } })).toEqual({
    ids: ["hall-1"],
    total: 1,
  });
  expect(await list({ search: { case: "deviceGlob", value: "*-?" } })).toEqual({
    ids: ["hall-1", "hall-2", "yard-1"],
    total: 3,
  });
  expect(await list({ search: { case: "deviceContains", value: "oo" } })).toEqual({
    ids: ["roof"],
    total: 1,
  });

  const { series, now, silentAfter } = await client.listSeries({});
  expect(series.map(({ deviceId, age, silent }) => [deviceId, Number(age?.seconds), silent])).toEqual([
    ["hall-1", 1, false],
    ["hall-2", 600, true],
    ["roof", 240, false],
    ["yard-1", -2, false],
  ]);
  expect(silentAfter).toMatchObject({ seconds: 300n });
  expect(now?.seconds).toBeGreaterThan(0n);
});

it("rejects a pattern of many *, and a token of another search", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([temperature("a"), temperature("b")]);
  const glob = (value: string) => ({ search: { case: "deviceGlob", value } }) as const;
  expect((await failureOf(client.listSeries(glob("*a*b*c*d*")))).message).toContain("device_glob");
  const { nextPageToken: pageToken } = await client.listSeries({ ...glob("*"), pageSize: 1 });
  expect((await failureOf(client.listSeries({ ...glob("?"), pageToken }))).code).toBe(Code.InvalidArgument);
});
