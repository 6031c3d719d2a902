import { createLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { lengthDelimited } from "../../testing/frame-bytes.ts";
import {
  detailsOf,
  errorOf,
  frameOf,
  ingestServers,
  startTestIngest,
  testNowMs,
  thermostatReading,
  thermostatReadings,
} from "../../testing/ingest-fixture.ts";
import { memoryLogSentinels } from "../../testing/memory-message-log.ts";
import { defaultIngestConfig } from "../limits.ts";

describe.each(ingestServers)("PublishReadings on %s", (server) => {
  it("acknowledges the readings of a unit when the log has them", async () => {
    await using test = await startTestIngest({ server });
    test.memory.hold();
    let answered = false;
    const outcome = test.client
      .publish(
        frameOf(thermostatReading("a", 0), thermostatReading("a", 1)),
        frameOf(thermostatReading("b", 0)),
      )
      .finally(() => {
        answered = true;
      });
    await waitUntil(() => test.memory.held === 2);
    expect(answered).toBe(false);
    test.memory.release();
    expect(await outcome).toEqual({
      kind: "ok",
      response: { accepted: 3n, refused: 0n, refusedReadings: [], duplicates: 0n, conflicts: 0n },
    });
    expect(test.memory.messages).toEqual([
      { deviceId: "a", timestampMs: testNowMs, sensor: "temperature", value: 21.5 },
      { deviceId: "a", timestampMs: testNowMs + 1, sensor: "temperature", value: 21.5 },
      { deviceId: "b", timestampMs: testNowMs, sensor: "temperature", value: 21.5 },
    ]);
    expect(test.ingest.stats()).toMatchObject({
      accepted: 3,
      refused: 0,
      units: 1,
      frames: 2,
      openStreams: 0,
      readingsInFlight: 0,
    });
  });

  it("answers an empty stream and empty frames with nothing accepted", async () => {
    await using test = await startTestIngest({ server });
    const nothing = {
      kind: "ok",
      response: { accepted: 0n, refused: 0n, refusedReadings: [], duplicates: 0n, conflicts: 0n },
    };
    expect(await test.client.publish()).toEqual(nothing);
    expect(await test.client.publish(Buffer.alloc(0), Buffer.alloc(0))).toEqual(nothing);
    expect(test.ingest.stats()).toMatchObject({ units: 2, frames: 2 });
  });

  it("counts a frame that has unknown fields only", async () => {
    await using test = await startTestIngest({ server });
    const outcome = await test.client.publish(lengthDelimited(99, Buffer.from("from a newer client")));
    expect(outcome).toEqual({
      kind: "ok",
      response: { accepted: 0n, refused: 0n, refusedReadings: [], duplicates: 0n, conflicts: 0n },
    });
  });

  it("numbers rejected readings over the whole stream, lists the first 100 and counts all", async () => {
    await using test = await startTestIngest({ server });
    const bad = thermostatReadings("not good", 80);
    const outcome = await test.client.publish(
      frameOf(thermostatReading("a"), ...bad),
      frameOf(thermostatReading("b"), ...bad),
    );
    if (outcome.kind !== "ok") throw outcome.error;
    const { accepted, refused, refusedReadings } = outcome.response;
    expect([accepted, refused, refusedReadings.length]).toEqual([2n, 160n, 100]);
    const ordinals = refusedReadings.map(({ ordinal }) => Number(ordinal));
    expect(ordinals).toEqual(Array.from({ length: 100 }, (_, i) => (i < 80 ? i + 1 : i + 2)));
    expect(test.memory.messages.map(({ deviceId }) => deviceId)).toEqual(["a", "b"]);
  });

  it("answers a frame of garbage with INVALID_ARGUMENT, its index and the reason", async () => {
    await using test = await startTestIngest({ server });
    const error = errorOf(
      await test.client.publish(frameOf(thermostatReading("a")), Buffer.from("garbage, not protobuf")),
    );
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toMatch(/^frames\[1\]: not a protobuf message of readings: \S/);
    expect(detailsOf(error).badRequest?.fieldViolations).toMatchObject([
      { field: "frames[1]", reason: "malformed" },
    ]);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, failedUnits: 1 });
  });

  it.each([
    ["1001 readings", () => frameOf(...thermostatReadings("a", 1001)), "frames[0].readings"],
    ["more than 1 MiB", () => lengthDelimited(99, Buffer.alloc(1024 * 1024)), "frames[0]"],
    ["1 MiB and 60 KiB", () => lengthDelimited(99, Buffer.alloc((1024 + 60) * 1024)), "frames[0]"],
  ])("answers a frame of %s with RESOURCE_EXHAUSTED and the limit", async (_, frame, subject) => {
    await using test = await startTestIngest({ server });
    const error = errorOf(await test.client.publish(frame()));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(detailsOf(error).quotaFailure?.violations).toMatchObject([{ subject }]);
    expect(test.memory.messages).toEqual([]);
  });

  it("does not receive a frame of 5 MiB, and returns the limit", async () => {
    await using test = await startTestIngest({ server });
    const error = errorOf(await test.client.publish(Buffer.alloc(5 * 1024 * 1024)));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toContain(String(defaultIngestConfig.receiveBytesMax));
  });

  it("accepts a frame of exactly 1000 readings, and one of exactly 1 MiB", async () => {
    await using test = await startTestIngest({ server });
    const filler = lengthDelimited(99, Buffer.alloc(1024 * 1024 - 5));
    expect(filler.length).toBe(1024 * 1024);
    expect(await test.client.publish(frameOf(...thermostatReadings("a", 1000)), filler)).toMatchObject({
      kind: "ok",
      response: { accepted: 1000n },
    });
  });

  it("answers a frame beyond the largest message with RESOURCE_EXHAUSTED", async () => {
    await using test = await startTestIngest({ server });
    const error = errorOf(await test.client.publish(Buffer.alloc(9 * 1024 * 1024)));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    await waitUntil(() => test.ingest.stats().openStreams === 0);
  });

  it("answers a unit of too many readings with RESOURCE_EXHAUSTED", async () => {
    await using test = await startTestIngest({ server, config: { unitReadingsMax: 2000 } });
    const frame = frameOf(...thermostatReadings("a", 1000));
    expect(await test.client.publish(frame, frame)).toMatchObject({ kind: "ok" });
    const error = errorOf(await test.client.publish(frame, frame, frameOf(thermostatReading("a"))));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(detailsOf(error).quotaFailure?.violations).toMatchObject([{ subject: "unit" }]);
  });

  it("answers UNAVAILABLE with RetryInfo when the log is unavailable, and recovers", async () => {
    await using test = await startTestIngest({ server, config: { retryDelayMs: 1500 } });
    const error = errorOf(
      await test.client.publish(frameOf(thermostatReading(memoryLogSentinels.unavailable))),
    );
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error).retryInfo?.retryDelay).toMatchObject({ seconds: 1n });
    expect(await test.client.publish(frameOf(thermostatReading("a")))).toMatchObject({ kind: "ok" });
    expect(test.ingest.stats()).toMatchObject({ accepted: 1, failedUnits: 1, readingsInFlight: 0 });
  });

  it("answers at once when an append fails, before the client has ended the stream", async () => {
    await using test = await startTestIngest({ server });
    const { call, outcome } = test.client.openStream();
    call.write(frameOf(thermostatReading(memoryLogSentinels.unavailable)));
    expect(errorOf(await outcome).code).toBe(status.UNAVAILABLE);
    await waitUntil(() => test.ingest.stats().openStreams === 0);
  });

  it("hides a foreign error from the caller, and logs its cause and the request id", async () => {
    const lines: string[] = [];
    const logger = createLogger({
      name: "test",
      level: "info",
      destination: { write: (line) => lines.push(line) },
    });
    await using test = await startTestIngest({
      server,
      dependencies: { logger, createRequestId: () => "request-1" },
    });
    const error = errorOf(await test.client.publish(frameOf(thermostatReading(memoryLogSentinels.broken))));
    expect([error.code, error.details]).toEqual([status.INTERNAL, "internal error"]);
    expect(error.metadata.get("x-request-id")).toEqual(["request-1"]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        msg: "a call failed",
        requestId: "request-1",
        method: "/devicemesh.v1.IngestService/PublishReadings",
        error: { message: "the memory log is set to break" },
      },
    ]);
  });

  it("answers DEADLINE_EXCEEDED when the log is too slow, and counts the unit as abandoned", async () => {
    await using test = await startTestIngest({ server });
    test.memory.hold();
    const { call, outcome } = test.client.openStream({ deadline: new Date(Date.now() + 100) });
    call.write(frameOf(thermostatReading("a")));
    call.end();
    expect(errorOf(await outcome).code).toBe(status.DEADLINE_EXCEEDED);
    await waitUntil(() => test.ingest.stats().abandonedUnits === 1);
    test.memory.release();
    await waitUntil(() => test.ingest.stats().readingsInFlight === 0);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, openStreams: 0 });
  });

  it.each([
    ["cancels", (_: TestIngest, stream: TestStream) => stream.call.cancel()],
    [
      "dies",
      (test: TestIngest) => {
        for (const socket of test.sockets) socket.destroy();
      },
    ],
  ])("counts nothing of a unit whose client %s", async (_, leave) => {
    await using test = await startTestIngest({ server, throughProxy: true });
    const stream = test.client.openStream();
    stream.call.write(frameOf(thermostatReading("a")));
    await waitUntil(() => test.memory.messages.length === 1);
    leave(test, stream);
    expect((await stream.outcome).kind).toBe("error");
    await waitUntil(() => test.ingest.stats().openStreams === 0);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, failedUnits: 0, abandonedUnits: 1 });
  });

  it("counts nothing of a hundred units that are cancelled at any moment before their end", async () => {
    await using test = await startTestIngest({ server });
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const { call, outcome } = test.client.openStream();
        for (let frame = 0; frame <= i % 3; frame++) call.write(frameOf(thermostatReading("a")));
        for (let round = 0; round < i % 17; round++)
          await new Promise<void>((resolve) => setImmediate(resolve));
        call.cancel();
        await outcome;
      }),
    );
    await waitUntil(() => test.ingest.stats().openStreams === 0);
    expect(test.memory.messages.length).toBeGreaterThan(0);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, failedUnits: 0, readingsInFlight: 0 });
  });

  it("counts nothing of a unit whose client cancels while the log still writes", async () => {
    await using test = await startTestIngest({ server });
    test.memory.hold();
    const stream = test.client.openStream();
    stream.call.write(frameOf(thermostatReading("a")));
    stream.call.end();
    await waitUntil(() => test.memory.held === 1);
    stream.call.cancel();
    await stream.outcome;
    await waitUntil(() => test.ingest.stats().abandonedUnits === 1);
    test.memory.release();
    await waitUntil(() => test.ingest.stats().readingsInFlight === 0);
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, openStreams: 0 });
  });
});

type TestIngest = Awaited<ReturnType<typeof startTestIngest>>;
type TestStream = ReturnType<TestIngest["client"]["openStream"]>;
