import { once } from "node:events";
import { get, request as http1Request, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature, testNowMs } from "../../../testing/query-fixture.ts";
import type { ReadingStore } from "../../store/reading-store.ts";

/** A store whose scans fail after their rows. */
const failing = (store: ReadingStore): ReadingStore => ({
  ...store,
  async *scanReadings(scan, signal) {
    yield* store.scanReadings(scan, signal);
    throw new Error("the disk is gone");
  },
});

/** The body and trailers over HTTP/1.1, and whether it was complete. */
async function readHttp1(url: string) {
  const request = get(url);
  const [response] = (await once(request, "response").catch(() => [])) as IncomingMessage[];
  // The connection was closed before the first bytes were sent.
  if (response === undefined) return { isComplete: false, text: "", end: undefined };
  const parts: Buffer[] = [];
  response.on("data", (part: Buffer) => parts.push(part));
  await new Promise((resolve) => response.on("close", resolve).on("error", () => {}));
  return {
    status: response.statusCode,
    isComplete: response.complete,
    text: Buffer.concat(parts).toString(),
    end: response.trailers["devicemesh-export-end"],
  };
}

/** The same over HTTP/2. */
async function readHttp2(baseUrl: string, path: string) {
  const session = connect(baseUrl);
  try {
    const stream = session.request({ ":path": path });
    let end: unknown;
    let error: Error | undefined;
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("trailers", (trailers) => {
      end = trailers["devicemesh-export-end"];
    });
    stream.on("error", (reason: Error) => {
      error = reason;
    });
    await new Promise((resolve) => stream.on("close", resolve));
    return {
      isComplete: error === undefined && stream.rstCode === 0,
      end,
      text: Buffer.concat(parts).toString(),
    };
  } finally {
    session.close();
  }
}

describe("GET /v1/readings", () => {
  it("writes CSV and NDJSON in order, times in the zone, with the end as a trailer and, if requested, a line", async () => {
    await using running = await startTestQuery();
    running.memory.append([
      temperature("b", 5, 0.1 + 0.2),
      temperature("a", 5, -0),
      { deviceId: "a", sensor: "humidity", timestampMs: testNowMs, value: 55 },
    ]);
    const csv = await readHttp1(`${running.baseUrl}/v1/readings?zone=Asia/Kathmandu&end=line`);
    const end = `{"rows":3,"complete_through":"2026-11-23T20:04:22.001Z","not_covered":[]}`;
    expect(csv).toMatchObject({ status: 200, isComplete: true, end });
    expect(csv.text).toBe(
      [
        "timestamp,device_id,sensor,value,unit",
        "2026-11-24T01:49:22.000+05:45,a,humidity,55,%",
        "2026-11-24T01:49:22.005+05:45,a,temperature,-0,°C",
        "2026-11-24T01:49:22.005+05:45,b,temperature,0.30000000000000004,°C",
        `# ${end}`,
        "",
      ].join("\n"),
    );
    const ndjson = await readHttp2(
      running.baseUrl,
      "/v1/readings?format=ndjson&device=b,c&sensor=temperature",
    );
    expect(ndjson.isComplete).toBe(true);
    expect(JSON.parse(ndjson.text)).toEqual({
      timestamp: "2026-11-23T20:04:22.005Z",
      device_id: "b",
      sensor: "temperature",
      value: 0.30000000000000004,
      unit: "°C",
    });
    expect(JSON.parse(String(ndjson.end))).toMatchObject({ rows: 1, not_covered: [] });
  });

  it("takes a timeframe: since inclusive, to exclusive, and durations before now", async () => {
    await using running = await startTestQuery();
    running.memory.append(
      [-7200, -3600, -3599, 0].map((seconds) => temperature("a", seconds * 1000, Math.abs(seconds))),
    );
    const values = async (query: string) => {
      const { text } = await readHttp1(`${running.baseUrl}/v1/readings?format=ndjson&${query}`);
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).value]));
    };
    expect(await values("since=-1h")).toEqual([3600, 3599, 0]);
    expect(await values("since=-2h&to=2026-11-23T19:04:22Z")).toEqual([7200]);
    expect(await values("since=2026-11-23T20:04:23%2B01:00&zone=Europe/Berlin")).toEqual([3599, 0]);
    expect(await values("to=2026-11-23")).toEqual([]);
  });

  it("writes a header and the end without readings", async () => {
    await using running = await startTestQuery();
    expect(await readHttp1(`${running.baseUrl}/v1/readings`)).toMatchObject({
      isComplete: true,
      text: "timestamp,device_id,sensor,value,unit\n",
      end: expect.stringContaining('"rows":0'),
    });
    expect((await readHttp1(`${running.baseUrl}/v1/readings?format=ndjson`)).text).toBe("");
  });

  it("answers wrong parameters with 400 and names all of them", async () => {
    await using running = await startTestQuery();
    const response = await fetch(
      `${running.baseUrl}/v1/readings?format=xls&since=yesterday&zone=Mars&bucket=1h&to=now&to=now`,
    );
    expect(response.status).toBe(400);
    const { code, message } = (await response.json()) as { code: string; message: string };
    expect(code).toBe("invalid_argument");
    for (const name of ["format", "since", "zone", "bucket", "to"]) expect(message).toContain(`${name}: `);
    expect((await fetch(`${running.baseUrl}/v1/readings?since=now&to=-1d`)).status).toBe(400);
    expect((await fetch(`${running.baseUrl}/v1/buckets?bucket=15s`)).status).toBe(400);
    expect((await fetch(`${running.baseUrl}/v1/buckets?bucket=0s&group_by=zone`)).status).toBe(400);
  });

  it("is cut, and not completed, if the store fails in the middle, over HTTP/1.1 and HTTP/2", async () => {
    await using running = await startTestQuery({ wrap: failing });
    running.memory.append([temperature("a")]);
    for (const format of ["csv", "ndjson", "arrow"]) {
      const path = `/v1/readings?format=${format}&end=line`;
      for (const read of [
        await readHttp1(`${running.baseUrl}${path}`),
        await readHttp2(running.baseUrl, path),
      ])
        expect(read).toMatchObject({
          isComplete: false,
          end: undefined,
          text: expect.not.stringContaining('"rows"'),
        });
    }
    // The first bytes of a small Parquet file are written at its end: nothing has been sent, and the response is an
    // error.
    expect((await fetch(`${running.baseUrl}/v1/readings?format=parquet`)).status).toBe(500);
  });

  it("answers an error before the first row with its status", async () => {
    await using running = await startTestQuery();
    running.memory.append([
      temperature("a"),
      { deviceId: "a", sensor: "humidity", timestampMs: testNowMs, value: 1 },
    ]);
    const mixed = await fetch(`${running.baseUrl}/v1/buckets?group_by=all`);
    expect(mixed.status).toBe(400);
    expect(await mixed.json()).toMatchObject({ message: expect.stringContaining("cannot be one group") });
    running.memory.close();
    expect((await fetch(`${running.baseUrl}/v1/readings`)).status).toBe(503);
  });

  it("is rejected over HTTP/1.0, where a client cannot distinguish a cut from the end", async () => {
    await using running = await startTestQuery();
    const socket = connectSocket(Number(new URL(running.baseUrl).port), "127.0.0.1");
    socket.end("GET /v1/readings HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let text = "";
    socket.on("data", (part) => {
      text += part;
    });
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 505 /);
  });

  it("stops reading when its client stops, and ends with it", async () => {
    let pieces = 0;
    const ended = Promise.withResolvers<void>();
    await using running = await startTestQuery({
      wrap: (store) => ({
        ...store,
        async *scanReadings() {
          try {
            for (; ; pieces++) {
              yield {
                timestampsMs: Array.from({ length: 8192 }, (_, place) => testNowMs + place),
                deviceIds: Array.from({ length: 8192 }, () => "a-device-with-a-name-of-some-length"),
                sensors: Array.from({ length: 8192 }, () => "temperature" as const),
                values: Array.from({ length: 8192 }, (_, place) => place / 3),
              };
            }
          } finally {
            ended.resolve();
          }
        },
      }),
    });
    const request = http1Request(`${running.baseUrl}/v1/readings`).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.pause();
    // The buffers of the connection fill up, then nothing more is read.
    let before = -1;
    const isStill = (): boolean => {
      const same = pieces === before;
      before = pieces;
      return same;
    };
    await waitUntil(isStill, { timeoutMs: 60_000, everyMs: 300, what: "the export stops reading" });
    // About 700 KiB each: the contents of the sockets of both sides, and no more.
    expect(pieces).toBeLessThan(40);
    request.destroy();
    await ended.promise;
  });
});

describe("parts of an export", () => {
  it("come from one file while readings arrive, identified by its etag", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a", 0, 1), temperature("b", 1, 2)]);
    const url = `${running.baseUrl}/v1/readings?format=csv`;
    const head = await fetch(url, { method: "HEAD" });
    const size = Number(head.headers.get("content-length"));
    expect(head.headers.get("accept-ranges")).toBe("bytes");
    running.memory.append([temperature("c", 2, 3)]);
    const part = async (range: string) => {
      const response = await fetch(url, { headers: { range } });
      return {
        status: response.status,
        etag: response.headers.get("etag"),
        range: response.headers.get("content-range"),
        text: await response.text(),
      };
    };
    const etag = head.headers.get("etag");
    const first = await part("bytes=0-9");
    const rest = await part(`bytes=10-${size + 100}`);
    expect(first).toEqual({ status: 206, etag, range: `bytes 0-9/${size}`, text: "timestamp," });
    expect(rest).toMatchObject({ status: 206, etag, range: `bytes 10-${size - 1}/${size}` });
    expect(`${first.text}${rest.text}`.split("\n")).toHaveLength(4);
    expect(await part("bytes=-5")).toMatchObject({ status: 206, text: ",°C\n" });
    expect(await part(`bytes=${size}-`)).toMatchObject({ status: 416, range: `bytes */${size}` });
    // A request for the whole is a new export.
    expect((await (await fetch(url)).text()).split("\n")).toHaveLength(5);
  });

  it("are not taken from another export by a client that resumes a download", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a")]);
    const response = await fetch(`${running.baseUrl}/v1/readings`, { headers: { range: "bytes=20-" } });
    expect([response.status, (await response.text()).startsWith("timestamp,")]).toEqual([200, true]);
  });

  it("are answered with an error status if the store fails", async () => {
    await using running = await startTestQuery({ wrap: failing });
    running.memory.append([temperature("a")]);
    const url = `${running.baseUrl}/v1/readings?format=parquet`;
    expect((await fetch(url, { method: "HEAD" })).status).toBe(500);
    expect((await fetch(url, { headers: { range: "bytes=0-3" } })).status).toBe(500);
  });
});
