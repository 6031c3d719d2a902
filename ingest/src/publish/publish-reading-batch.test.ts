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
  thermostatReading,
  thermostatReadings,
} from "../../testing/ingest-fixture.ts";
import { memoryLogSentinels } from "../../testing/memory-message-log.ts";
import { defaultIngestConfig } from "../limits.ts";

describe.each(ingestServers)("PublishReadingBatch on %s", (server) => {
  it("acknowledges the readings of a batch when the log has them, and lists the rejected ones", async () => {
    await using test = await startTestIngest({ server });
    const outcome = await test.client.publishBatch(
      frameOf(thermostatReading("a"), thermostatReading("a", 0, 1000), thermostatReading("b")),
    );
    expect(outcome).toEqual({
      kind: "ok",
      response: {
        accepted: 2n,
        refused: 1n,
        refusedReadings: [
          {
            ordinal: 1n,
            identity: "a|temperature|2026-11-23T20:04:22.000Z",
            fieldPath: "thermostat.temperature",
            ruleId: "double.gte_lte",
            text: "must be greater than or equal to -100 and less than or equal to 150",
          },
        ],
        duplicates: 0n,
        conflicts: 0n,
      },
    });
    expect(test.memory.messages.map(({ deviceId }) => deviceId)).toEqual(["a", "b"]);
    expect(test.ingest.stats()).toMatchObject({ accepted: 2, refused: 1, units: 1, frames: 1 });
  });

  it("reports how many of the accepted readings were stored before, if the log knows", async () => {
    await using test = await startTestIngest({ server });
    const batch = frameOf(thermostatReading("a"), thermostatReading("a"), thermostatReading("a", 0, 99));
    const counts = { accepted: 3n, duplicates: 1n, conflicts: 1n };
    expect(await test.client.publishBatch(batch)).toMatchObject({ response: counts });
    expect(await test.client.publish(batch)).toMatchObject({ response: { ...counts, duplicates: 2n } });
  });

  it("answers an empty batch with nothing accepted", async () => {
    await using test = await startTestIngest({ server });
    expect(await test.client.publishBatch(Buffer.alloc(0))).toEqual({
      kind: "ok",
      response: { accepted: 0n, refused: 0n, refusedReadings: [], duplicates: 0n, conflicts: 0n },
    });
  });

  it("answers garbage with INVALID_ARGUMENT, too much with RESOURCE_EXHAUSTED", async () => {
    await using test = await startTestIngest({ server });
    const garbage = errorOf(await test.client.publishBatch(Buffer.from([0x0a, 0xff])));
    expect(garbage.code).toBe(status.INVALID_ARGUMENT);
    expect(detailsOf(garbage).badRequest?.fieldViolations).toMatchObject([
      { field: "frames[0]", reason: "malformed" },
    ]);
    const many = errorOf(await test.client.publishBatch(frameOf(...thermostatReadings("a", 1001))));
    expect(many.code).toBe(status.RESOURCE_EXHAUSTED);
    const large = errorOf(await test.client.publishBatch(lengthDelimited(99, Buffer.alloc(1024 * 1024))));
    expect(large.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(detailsOf(large).quotaFailure?.violations).toMatchObject([{ subject: "frames[0]" }]);
  });

  it("does not receive a batch of 5 MiB, and returns the limit", async () => {
    await using test = await startTestIngest({ server });
    const error = errorOf(await test.client.publishBatch(Buffer.alloc(5 * 1024 * 1024)));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toContain(String(defaultIngestConfig.receiveBytesMax));
    expect(test.memory.messages).toEqual([]);
  });

  it("answers UNAVAILABLE with RetryInfo when the log is unavailable, INTERNAL when it fails unexpectedly", async () => {
    await using test = await startTestIngest({ server });
    const error = errorOf(
      await test.client.publishBatch(frameOf(thermostatReading(memoryLogSentinels.unavailable))),
    );
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error).retryInfo).toBeDefined();
    const broken = errorOf(
      await test.client.publishBatch(frameOf(thermostatReading(memoryLogSentinels.broken))),
    );
    expect([broken.code, broken.details]).toEqual([status.INTERNAL, "internal error"]);
  });

  it("answers DEADLINE_EXCEEDED when the log is too slow, and counts the batch as abandoned", async () => {
    await using test = await startTestIngest({ server });
    test.memory.hold();
    const outcome = test.client.publishBatch(frameOf(thermostatReading("a")), {
      deadline: new Date(Date.now() + 100),
    });
    expect(errorOf(await outcome).code).toBe(status.DEADLINE_EXCEEDED);
    await waitUntil(() => test.ingest.stats().abandonedUnits === 1);
    test.memory.release();
    await waitUntil(() => test.ingest.stats().readingsInFlight === 0);
    expect(test.ingest.stats().accepted).toBe(0);
  });
});
