import { gzipSync } from "node:zlib";
import { unauthenticated } from "@devicemesh/identity/access-error";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createFakeIngest, unavailableNow } from "../../testing/fake-ingest.ts";
import { serveGateway, testNowMs } from "../../testing/test-gateway.ts";
import { gatewayLimits } from "../limits.ts";
import { createSensorLookup } from "../readings/sensor-lookup.ts";
import { readLines } from "./line-readings.ts";

const json = { "content-type": "application/json" };
const original = '{"device_id":"1","timestamp":"2023-03-28T20:04:22Z","temperature":25.2,"tag":"Thermostat"}';
const quick = {
  ...gatewayLimits,
  httpWaitMs: 300,
  delivery: { ...gatewayLimits.delivery, backoff: { firstMs: 1, longestMs: 2 } },
};

it("answers 200 with counts once the readings are stored", async () => {
  const gateway = await serveGateway();
  expect(await gateway.post("/v1/readings", original, json)).toMatchObject({
    status: 200,
    body: { accepted: 1, refused: 0, refused_readings: [] },
  });
  expect(gateway.ingest.stored).toEqual([
    { deviceId: "1", sensor: "temperature", timestampMs: Date.UTC(2023, 2, 28, 20, 4, 22), value: 25.2 },
  ]);
});

it("does not answer before ingest has acknowledged the readings", async () => {
  const ingest = createFakeIngest({ isQueued: true });
  const gateway = await serveGateway({ ingest });
  let isAnswered = false;
  const answer = gateway.post("/v1/readings", original, json).finally(() => {
    isAnswered = true;
  });
  await expect.poll(() => ingest.calls.length).toBe(1);
  expect(isAnswered).toBe(false);
  ingest.release();
  expect((await answer).status).toBe(200);
});

it("lists rejected readings by document, field and rule, and stores the others", async () => {
  const gateway = await serveGateway({ ingest: createFakeIngest({ isValid: ({ value }) => value < 100 }) });
  const documents = [
    { device_id: "a", temperature: 1, humidity: 999 },
    { temperature: 1 },
    { device_id: "b", temperature: 2 },
  ];
  const { status, body } = await gateway.post("/v1/readings", JSON.stringify(documents), json);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    accepted: 2,
    refused: 2,
    refused_readings: [
      { index: 0, field: "humidity", rule: "double.gte_lte" },
      { index: 1, field: "device_id", rule: "required" },
    ],
  });
  expect((await gateway.post("/v1/readings", '{"device_id":"a","temperature":999}', json)).status).toBe(400);
});

it("answers 400 to documents that are nested more deeply than can be written", async () => {
  const gateway = await serveGateway();
  const nested = `${"[".repeat(100_000)}12345678901234567890${"]".repeat(100_000)}`;
  const documents = [
    nested,
    `{"device_id":"a","temperature":${nested}}`,
    `{"device_id":"a","temperature":1,"time":${nested.replace(/\d+/, "")}}`,
  ];
  for (const document of documents) {
    expect((await gateway.post("/v1/readings", document, json)).status).toBe(400);
  }
  expect(gateway.ingest.calls).toEqual([]);
});

it("reads NDJSON and gzip", async () => {
  const gateway = await serveGateway();
  const lines = gzipSync(`${original}\n${original.replace("25.2", "1").replace('"1"', '"2"')}\n`);
  const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
  expect((await gateway.post("/v1/readings", lines, headers)).body).toMatchObject({ accepted: 2 });
  expect((await gateway.post("/v1/readings", "not gzip", headers)).status).toBe(400);
  expect((await gateway.post("/v1/readings", original, { ...json, "content-encoding": "br" })).status).toBe(
    415,
  );
});

it("answers 503 with Retry-After while readings cannot be stored, and 200 afterwards", async () => {
  let isUnavailable = true;
  const ingest = createFakeIngest({ respond: () => (isUnavailable ? unavailableNow : undefined) });
  const gateway = await serveGateway({ ingest, limits: quick });
  for (const [path, body] of [
    ["/v1/readings", original],
    ["/api/v2/write", "m,host=a temperature=1"],
  ] as const) {
    const { status, headers } = await gateway.post(path, body, json);
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
  }
  expect((await fetch(`${gateway.url}/health`)).status).toBe(503);
  isUnavailable = false;
  expect((await gateway.post("/v1/readings", original, json)).status).toBe(200);
  expect(await (await fetch(`${gateway.url}/health`)).json()).toMatchObject({ status: "pass" });
});

it("answers 413 to a body that is too large, also one that only gzip makes small", async () => {
  const gateway = await serveGateway({ limits: { ...gatewayLimits, bodyBytesMax: 1000 } });
  const large = JSON.stringify(Array.from({ length: 100 }, () => JSON.parse(original)));
  expect((await gateway.post("/v1/readings", large, json)).status).toBe(413);
  const packed = await gateway.post("/v1/readings", gzipSync(large), { ...json, "content-encoding": "gzip" });
  expect(packed.status).toBe(413);
  expect((await gateway.post("/v1/readings", original, json)).status).toBe(200);
});

it("rejects requests of web pages of other origins, and forms", async () => {
  const gateway = await serveGateway({ origins: ["http://friend.example"] });
  const status = async (headers: Record<string, string>) =>
    (await gateway.post("/v1/readings", original, headers)).status;
  expect(await status({ ...json, origin: "http://evil.example" })).toBe(403);
  expect(await status({ ...json, origin: "http://friend.example" })).toBe(200);
  expect(await status({ ...json, origin: gateway.url })).toBe(200);
  expect(await status({ "content-type": "text/plain" })).toBe(415);
  expect(await status({ "content-type": "application/x-www-form-urlencoded" })).toBe(415);
  expect(
    (await gateway.post("/write", "m,host=a temperature=1", { origin: "http://evil.example" })).status,
  ).toBe(403);
});

it("stores only the devices of the sender, and answers 401 without one", async () => {
  const gateway = await serveGateway({
    async senderOf({ headers }) {
      if (headers.authorization === undefined)
        throw unauthenticated({ reason: "TOKEN_MISSING", message: "no token" });
      return { mayPublish: (deviceId) => deviceId === "a", refusalText: "must be a" };
    },
  });
  expect((await gateway.post("/v1/readings", original, json)).status).toBe(401);
  const body = '[{"device_id":"a","temperature":1},{"device_id":"b","temperature":1}]';
  expect((await gateway.post("/v1/readings", body, { ...json, authorization: "x" })).body).toMatchObject({
    accepted: 1,
    refused_readings: [{ index: 1, field: "device_id", rule: "device_id.identity", text: "must be a" }],
  });
  expect(gateway.ingest.stored.map(({ deviceId }) => deviceId)).toEqual(["a"]);
});

it("names the line and the field of a text in line protocol", async () => {
  const gateway = await serveGateway();
  const lines = 'air,host=pi humidity=40\nair,host=pi temperature="warm"';
  const { status, body } = await gateway.post("/write", lines);
  expect(status).toBe(400);
  expect(body).toMatchObject({
    refused_readings: [{ index: 2, text: expect.stringMatching(/^line 2: temperature: must be a number/) }],
  });
  expect(gateway.ingest.stored.map(({ deviceId }) => deviceId)).toEqual(["pi"]);
});

it("answers line protocol like InfluxDB: 204, or 400 with line numbers and the valid lines stored", async () => {
  const gateway = await serveGateway({ ingest: createFakeIngest({ isValid: ({ value }) => value < 100 }) });
  for (const path of ["/api/v2/write?org=o&bucket=b&precision=s", "/write?db=x&precision=s"]) {
    expect(await gateway.post(path, "air,host=pi temperature=21.5,humidity=40 1680033862")).toMatchObject({
      status: 204,
    });
  }
  expect(gateway.ingest.stored).toHaveLength(2);
  const body =
    "air,host=a temperature=1\nair,host=a temperature=\nair temperature=1\nair,host=a temperature=999";
  const answer = await gateway.post("/api/v2/write", body);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid", line: 2, refused: 3 } });
  expect(answer.body.message).toMatch(
    /line 2, column 24.*line 3: no tag.*line 4: temperature: must be in range/s,
  );
  expect(gateway.ingest.stored).toHaveLength(3);
  expect((await gateway.post("/write?precision=d", "m f=1")).status).toBe(400);
});

it("names the device or the time of a line that breaks a rule on it, and not its field", async () => {
  const ingest = createFakeIngest({
    isValid: ({ timestampMs }) => timestampMs > 0,
    brokenField: "timestamp",
  });
  const gateway = await serveGateway({ ingest });
  const answer = await gateway.post("/api/v2/write?precision=ms", "air,host=a temperature=1 0");
  expect(answer.body).toMatchObject({
    message: expect.stringContaining("line 1: timestamp: must be in range"),
    refused_readings: [{ index: 1, field: "timestamp" }],
  });
});

it("answers the checks of InfluxDB's clients", async () => {
  const { url } = await serveGateway();
  const ping = await fetch(`${url}/ping`);
  expect([ping.status, ping.headers.get("x-influxdb-version")]).toEqual([
    204,
    expect.stringContaining("device-mesh"),
  ]);
});

const mapping = {
  lookup: createSensorLookup(),
  nowMs: testNowMs,
  precision: "ns",
  deviceTags: ["id", "host+cpu"],
} as const;

it("maps tags to the device, and the measurement to the sensor of a field called value", () => {
  const { readings } = readLines(
    'temperature,id=a value=1\ntemp,host=pi,cpu=0 humidity=2,text="x",co2=3i\n',
    mapping,
  );
  expect(readings.map(({ deviceId, sensor, value, line }) => [deviceId, sensor, value, line])).toEqual([
    ["a", "temperature", 1, 1],
    ["pi/0", "humidity", 2, 2],
    ["pi/0", "co2", 3, 2],
  ]);
});

it("never throws for any text as body, and stores no value that is not in it", () => {
  const word = fc.constantFrom(
    "temperature",
    "m",
    ",id=a",
    " ",
    "=",
    "1",
    "2.5",
    "\n",
    '"',
    "\\",
    "i",
    "t",
    ",",
    "é",
    "NaN",
    "\0",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const text = words.join("");
      const { readings, rejected } = readLines(text, mapping);
      for (const { value } of readings) expect(Number.isFinite(value)).toBe(true);
      for (const { index } of rejected) expect(index).toBeGreaterThan(0);
    }),
    { numRuns: 100_000 },
  );
});
