import { connect } from "node:net";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { openHttp2 } from "@devicemesh/kit/testing/http2-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { RetryInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { describe, expect, it } from "vitest";
import { startTestIngest, testNowMs } from "../../testing/ingest-fixture.ts";
import { memoryLogSentinels } from "../../testing/memory-message-log.ts";

const timestamp = { seconds: BigInt(testNowMs / 1000), nanos: 0 };

function frame(...readings: readonly (readonly [deviceId: string, temperature: number])[]) {
  return {
    readings: readings.map(([deviceId, temperature]) => ({
      deviceId,
      timestamp,
      measurement: { case: "thermostat" as const, value: { temperature } },
    })),
  };
}

async function* streamOf<T>(...items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

describe.each([
  ["Connect in JSON over HTTP/1.1", createConnectTransport, "1.1", false],
  ["Connect in protobuf over HTTP/1.1", createConnectTransport, "1.1", true],
  ["Connect in JSON over HTTP/2", createConnectTransport, "2", false],
  ["Connect in protobuf over HTTP/2", createConnectTransport, "2", true],
  ["gRPC-Web in JSON over HTTP/1.1", createGrpcWebTransport, "1.1", false],
  ["gRPC-Web in protobuf over HTTP/2", createGrpcWebTransport, "2", true],
  ["gRPC in JSON", createGrpcTransport, "2", false],
  ["gRPC in protobuf", createGrpcTransport, "2", true],
] as const)("%s", (_, createTransport, httpVersion, useBinaryFormat) => {
  async function start() {
    const test = await startTestIngest({ server: "Connect" });
    const baseUrl = `http://127.0.0.1:${test.port}`;
    // gRPC has one version of HTTP, which is not an option of its transport.
    const transport = (createTransport as typeof createConnectTransport)({
      baseUrl,
      httpVersion,
      useBinaryFormat,
    });
    const client: Client<typeof IngestService> = createClient(IngestService, transport);
    return Object.assign(test, { publisher: client });
  }

  it("stores the accepted readings of a stream, and lists the rest by index", async () => {
    await using test = await start();
    const answer = await test.publisher.publishReadings(
      streamOf(frame(["a", 21.5], ["b", 999]), frame(), frame(["not good", 1], ["c", -3])),
    );
    expect(answer).toMatchObject({
      accepted: 2n,
      refused: 2n,
      refusedReadings: [
        { ordinal: 1n, fieldPath: "thermostat.temperature", ruleId: "double.gte_lte" },
        { ordinal: 2n, fieldPath: "device_id", ruleId: "string.pattern" },
      ],
    });
    expect(test.memory.messages).toMatchObject([
      { deviceId: "a", timestampMs: testNowMs, value: 21.5 },
      { deviceId: "c", timestampMs: testNowMs, value: -3 },
    ]);
    expect(test.ingest.stats()).toMatchObject({
      units: 1,
      frames: 3,
      accepted: 2,
      refused: 2,
      openStreams: 0,
    });
  });

  it("responds only after the log has the readings", async () => {
    await using test = await start();
    test.memory.hold();
    let isAnswered = false;
    const answer = test.publisher.publishReadingBatch(frame(["a", 1], ["a", 999])).finally(() => {
      isAnswered = true;
    });
    await waitUntil(() => test.memory.held === 1);
    expect(isAnswered).toBe(false);
    test.memory.release();
    expect(await answer).toMatchObject({ accepted: 1n, refused: 1n, refusedReadings: [{ ordinal: 1n }] });
  });

  it("answers UNAVAILABLE with a retry hint when the log is unavailable", async () => {
    await using test = await start();
    const unavailable = frame([memoryLogSentinels.unavailable, 1]);
    for (const publish of [
      () => test.publisher.publishReadingBatch(unavailable),
      () => test.publisher.publishReadings(streamOf(unavailable)),
    ]) {
      const error = ConnectError.from(await publish().catch((reason: unknown) => reason));
      expect(error.code).toBe(14);
      expect(error.findDetails(RetryInfoSchema)).toHaveLength(1);
    }
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, failedUnits: 2 });
  });

  it("counts nothing of a stream whose client disconnects", async () => {
    await using test = await start();
    const left = new AbortController();
    const never = Promise.withResolvers<void>();
    async function* frames() {
      yield frame(["a", 1]);
      await never.promise;
    }
    const answer = test.publisher.publishReadings(frames(), { signal: left.signal }).catch(() => "left");
    await waitUntil(() => test.memory.messages.length === 1);
    left.abort();
    expect(await answer).toBe("left");
    await waitUntil(() => test.ingest.stats().openStreams === 0);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, failedUnits: 0, abandonedUnits: 1 });
    never.resolve();
  });
});

describe("a batch in JSON", () => {
  async function publish(port: number, body: string) {
    const response = await fetch(`http://127.0.0.1:${port}/devicemesh.v1.IngestService/PublishReadingBatch`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return (await response.json()) as unknown;
  }
  const reading = (time: string, heartRateMeter: unknown) =>
    JSON.stringify({ readings: [{ device_id: "json", timestamp: time, heartRateMeter }] });

  it("stores an explicit 0, and rejects a measurement without its value", async () => {
    await using test = await startTestIngest({ server: "Connect" });
    const stored = await publish(test.port, reading("2026-01-01T12:00:00Z", { heartRate: 0 }));
    expect(stored).toMatchObject({ accepted: "1", refused: "0", refusedReadings: [], duplicates: "0" });
    const without = await publish(test.port, reading("2026-01-01T12:00:01Z", {}));
    expect(without).toMatchObject({
      accepted: "0",
      refusedReadings: [{ fieldPath: "heart_rate_meter.heart_rate", ruleId: "required" }],
    });
    expect(test.memory.messages).toMatchObject([{ deviceId: "json", value: 0 }]);
  });

  it.each([
    ["an impossible date", reading("2026-02-30T12:00:00Z", { heartRate: 60 }), "readings[0].timestamp"],
    ["a field of another name", '{"readings":[{"device":"a"}]}', '"device"'],
    ["no JSON", "{", "JSON"],
  ])("is rejected as a whole for %s, with the position of the fault", async (_, body, text) => {
    await using test = await startTestIngest({ server: "Connect" });
    expect(await publish(test.port, body)).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(text),
    });
    expect(test.memory.messages).toEqual([]);
  });
});

it("counts nothing of a stream over HTTP/1.1 whose connection breaks, or whose last frame is cut off", async () => {
  await using test = await startTestIngest({ server: "Connect" });
  const socket = connect(test.port, "127.0.0.1").on("error", () => {});
  const json =
    '{"readings":[{"deviceId":"a","timestamp":"2026-01-01T12:00:00Z","thermostat":{"temperature":1}}]}';
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0, json.length]), Buffer.from(json)]);
  socket.write(
    `POST /devicemesh.v1.IngestService/PublishReadings HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/connect+json\r\ntransfer-encoding: chunked\r\n\r\n${message.length.toString(16)}\r\n`,
  );
  socket.write(message);
  socket.write("\r\n");
  await waitUntil(() => test.memory.messages.length === 1);
  socket.destroy();
  await waitUntil(() => test.ingest.stats().abandonedUnits === 1);
  using connection = openHttp2(`http://127.0.0.1:${test.port}`);
  const stream = connection.open({
    ":path": "/devicemesh.v1.IngestService/PublishReadings",
    "content-type": "application/connect+json",
  });
  stream.end(Buffer.concat([message, message.subarray(0, 20)]));
  await waitUntil(() => test.ingest.stats().failedUnits === 1);
  expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, openStreams: 0 });
});
