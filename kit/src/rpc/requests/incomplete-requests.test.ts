import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { enveloped } from "../../../testing/http2-fixture.ts";
import { waitUntil } from "../../../testing/test-helpers.ts";
import type { RpcError } from "../rpc-error.ts";
import { createEnvelopeProgress, createUnfinishedRequests } from "./incomplete-requests.ts";

const limits = { bytesMax: 100, connectionBytesMax: 60, messageTimeoutMs: 40, streamTimeoutMs: 400 };

function create(settings: Partial<typeof limits> = {}) {
  let nowMs = 0;
  const unfinished = createUnfinishedRequests({ ...limits, ...settings }, () => nowMs);
  const errors: RpcError[] = [];
  return {
    unfinished,
    errors,
    open: (peer: string, isStream = false) =>
      unfinished.open({ peer, isStream }, (error) => errors.push(error)),
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

describe("createEnvelopeProgress", () => {
  it("reports how much of a message has arrived, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        (messages, cuts) => {
          const body = Buffer.concat(messages.map((message) => enveloped(message)));
          const ends = new Set<number>([0]);
          let end = 0;
          for (const message of messages) {
            end += 5 + message.length;
            ends.add(end);
          }
          const progress = createEnvelopeProgress();
          for (let at = 0, cut = 0; at < body.length; cut++) {
            const next = Math.min(at + cuts[cut % cuts.length]!, body.length);
            const unfinished = progress.read(body.subarray(at, next));
            expect(unfinished).toBe(next - Math.max(...[...ends].filter((place) => place <= next)));
            at = next;
          }
        },
      ),
    );
  });
});

describe("createUnfinishedRequests", () => {
  it("counts incomplete bytes and releases them at the end, once", () => {
    const { unfinished, open, errors } = create();
    const [first, second] = [open("a:1"), open("b:1")];
    first.received(new Uint8Array(20));
    second.received(new Uint8Array(30));
    expect(unfinished.bytes).toBe(50);
    first.end();
    first.end();
    first.received(new Uint8Array(90));
    expect(unfinished.bytes).toBe(30);
    second.end();
    expect([unfinished.bytes, errors]).toEqual([0, []]);
  });

  it("does not count the complete messages of a stream", () => {
    const { unfinished, open } = create();
    const meter = open("a:1", true);
    for (let i = 0; i < 20; i++) meter.received(enveloped(new Uint8Array(30)));
    expect(unfinished.bytes).toBe(0);
    meter.received(enveloped(new Uint8Array(3), 30));
    expect(unfinished.bytes).toBe(8);
    meter.end();
  });

  it("rejects the request that exceeds the share of its connection, and no other", () => {
    const { unfinished, open, errors } = create();
    open("a:1").received(new Uint8Array(50));
    const other = open("b:1");
    other.received(new Uint8Array(10));
    open("a:1").received(new Uint8Array(11));
    expect(errors).toMatchObject([
      { code: "RESOURCE_EXHAUSTED", message: expect.stringContaining("of one connection") as unknown },
    ]);
    expect(unfinished.bytes).toBe(60);
  });

  it("rejects the request that exceeds the limit of the process", () => {
    const { unfinished, open, errors } = create();
    open("a:1").received(new Uint8Array(50));
    open("b:1").received(new Uint8Array(50));
    open("c:1").received(new Uint8Array(1));
    expect(errors).toMatchObject([
      {
        code: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(/^unfinished requests: at most 100/) as unknown,
      },
    ]);
    expect(unfinished.bytes).toBe(100);
  });

  it.each([
    ["a single message", false],
    ["a message of a stream", true],
  ])("rejects %s that arrives too slowly", async (_, isStream) => {
    const { unfinished, open, errors, pass } = create();
    const meter = open("a:1", isStream);
    for (let i = 0; i < 4; i++) {
      meter.received(new Uint8Array(1));
      pass(11);
    }
    await waitUntil(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: "DEADLINE_EXCEEDED" }]);
    expect(unfinished.bytes).toBe(0);
  });

  it("accepts a stream that is silent between its messages, until it has lasted too long", async () => {
    const { open, errors, pass } = create();
    const meter = open("a:1", true);
    const other = open("b:1");
    for (let i = 0; i < 9; i++) {
      meter.received(enveloped(new Uint8Array(3)));
      pass(41);
      if (i === 0) await waitUntil(() => errors.length === 1);
    }
    other.end();
    // The other one, which has sent nothing, is rejected by the same check that accepts the stream.
    expect(errors).toHaveLength(1);
    pass(41);
    await waitUntil(() => errors.length === 2);
    expect(errors[1]).toMatchObject({ message: expect.stringContaining("the stream") as unknown });
  });
});
