import { describe, expect, it } from "vitest";
import { startFakeIngest, type UnitFate } from "../../testing/fake-ingest.ts";
import { systemClock } from "../clock.ts";
import { unitOf } from "./delivery.ts";
import { createFrameEncoder } from "./frame-encoder.ts";
import { createIngestClient } from "./ingest-client.ts";
import type { Unit } from "./unit.ts";

function unit({ frames, frameReadings }: { frames: number; frameReadings: number }): Unit {
  const encoder = createFrameEncoder();
  let time = Date.UTC(2026, 0, 1);
  return unitOf(
    Array.from({ length: frames }, () => {
      for (let reading = 0; reading < frameReadings; reading++) encoder.add("device", 0, time++, 20);
      return encoder.take();
    }),
  );
}

const never = new AbortController().signal;

async function sendTo(fate: UnitFate, { deadlineMs = 5000 } = {}) {
  await using ingest = await startFakeIngest({ fate: () => fate });
  const client = createIngestClient({ target: ingest.target, clock: systemClock, deadlineMs });
  const result = await client.send(unit({ frames: 4, frameReadings: 10 }), never);
  client.close();
  return { result, stored: [...ingest.stored] };
}

describe("ingest client", () => {
  it("sends all frames as one stream and receives a result for each reading", async () => {
    const { result, stored } = await sendTo({ kind: "ack" });
    expect(result).toEqual({
      kind: "acked",
      accepted: 40,
      refused: 0,
      refusedReadings: [],
      found: { duplicates: 0, conflicts: 0 },
    });
    expect(new Set(stored).size).toBe(40);
    expect(stored[0]).toBe("device|temperature|2026-01-01T00:00:00.000Z");
  });

  it("writes only as much as the connection accepts", async () => {
    await using ingest = await startFakeIngest();
    const client = createIngestClient({ target: ingest.target, clock: systemClock });
    const { frames, readings } = unit({ frames: 200, frameReadings: 500 });
    let written = 0;
    const counted = frames.map((frame) => ({
      readings: frame.readings,
      get bytes() {
        written += 1;
        return frame.bytes;
      },
    }));
    const sending = client.send({ frames: counted, readings }, never);
    expect(written).toBeLessThan(50);
    expect(await sending).toMatchObject({ kind: "acked" });
    expect(written).toBe(200);
    client.close();
  });

  it("waits for the connection: a unit far larger than its buffers arrives whole", async () => {
    await using ingest = await startFakeIngest();
    const client = createIngestClient({ target: ingest.target, clock: systemClock });
    const large = unit({ frames: 200, frameReadings: 500 });
    expect(await client.send(large, never)).toMatchObject({ kind: "acked", accepted: 100_000 });
    client.close();
  });

  it("returns the code, the message and the delay that the server requests", async () => {
    const fate = {
      kind: "fail",
      when: "end",
      stored: false,
      code: "UNAVAILABLE",
      retryDelayMs: 1500,
    } as const;
    const { result } = await sendTo(fate);
    expect(result).toEqual({
      kind: "failed",
      code: "UNAVAILABLE",
      message: "set to fail",
      retryDelayMs: 1500,
    });
  });

  it("stops at an error before the end of the stream", async () => {
    await using ingest = await startFakeIngest({
      fate: () => ({ kind: "fail", when: "first-frame", stored: false, code: "RESOURCE_EXHAUSTED" }),
    });
    const client = createIngestClient({ target: ingest.target, clock: systemClock });
    const result = await client.send(unit({ frames: 500, frameReadings: 500 }), never);
    expect(result).toMatchObject({ kind: "failed", code: "RESOURCE_EXHAUSTED", retryDelayMs: undefined });
    client.close();
  });

  it("treats a response that does not cover all readings as a failure", async () => {
    const { result } = await sendTo({ kind: "answer-early" });
    expect(result).toMatchObject({ kind: "failed", code: "DATA_LOSS" });
  });

  it("fails when the answer takes longer than the deadline", async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>();
    const { result } = await sendTo({ kind: "hold", release }, { deadlineMs: 50 });
    expect(result).toMatchObject({ kind: "failed", code: "DEADLINE_EXCEEDED" });
    resolve();
  });

  it("ends an attempt when the signal aborts", async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>();
    await using ingest = await startFakeIngest({ fate: () => ({ kind: "hold", release }) });
    const client = createIngestClient({ target: ingest.target, clock: systemClock });
    const ending = new AbortController();
    const sending = client.send(unit({ frames: 1, frameReadings: 1 }), ending.signal);
    ending.abort();
    expect(await sending).toMatchObject({ kind: "failed", code: "CANCELLED" });
    resolve();
    client.close();
  });

  it("fails when no server listens", async () => {
    const ingest = await startFakeIngest();
    ingest.kill();
    const client = createIngestClient({ target: ingest.target, clock: systemClock });
    expect(await client.send(unit({ frames: 1, frameReadings: 1 }), never)).toMatchObject({
      code: "UNAVAILABLE",
    });
    client.close();
    client.close();
  });
});
