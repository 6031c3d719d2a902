import { describe, expect, it } from "vitest";
import {
  type DeadLetter,
  deadLetterId,
  identityOfMessage,
  identityOfPartial,
  kindOf,
  parseDeadLetter,
} from "./dead-letter.ts";

const headers = {
  "__connect.errors.topic": Buffer.from("messages"),
  "__connect.errors.partition": Buffer.from("2"),
  "__connect.errors.offset": Buffer.from("41"),
  "__connect.errors.stage": Buffer.from("TASK_PUT"),
  "__connect.errors.exception.class.name": Buffer.from("com.mongodb.kafka.connect.sink.dlq.WriteException"),
  "__connect.errors.exception.message": Buffer.from(
    "v=1, code=11000, message=E11000 duplicate key, details={}",
  ),
};

const record = {
  topic: "messages.dead_letters",
  partition: 0,
  offset: 7,
  key: Buffer.from("a|temperature|2026-11-23T20:00:00.000Z"),
  value: Buffer.from(
    '{"device_id":"a","sensor":"temperature","timestamp":"2026-11-23T20:00:00.000Z","value":21.5}',
  ),
  headers,
  timestampMs: 1000,
};

const letter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  ...parseDeadLetter(record),
  ...changes,
});

describe("a dead letter", () => {
  it("has the position of the rejected record, the component that rejected it, and the reason", () => {
    expect(letter()).toEqual({
      origin: { topic: "messages", partition: 2, offset: 41 },
      reason: "v=1, code=11000, message=E11000 duplicate key, details={}",
      stage: "TASK_PUT",
      code: 11_000,
      key: "a|temperature|2026-11-23T20:00:00.000Z",
      value: record.value,
      arrivedMs: 1000,
    });
    expect(deadLetterId(letter())).toBe("messages/2/41");
  });

  it("has the cause of a converter's rejection", () => {
    const found = parseDeadLetter({
      ...record,
      headers: {
        ...headers,
        "__connect.errors.stage": Buffer.from("VALUE_CONVERTER"),
        "__connect.errors.exception.message": Buffer.from("Converting failed: "),
        "__connect.errors.exception.stacktrace": Buffer.from(
          "x: Converting failed\n\tat a\nCaused by: b: no JSON\n\tat c",
        ),
      },
    });
    expect(found).toMatchObject({ reason: "Converting failed: b: no JSON", code: undefined });
  });

  it("is accepted without headers, key or value, and then is its own rejected record", () => {
    expect(parseDeadLetter({ ...record, headers: {}, key: null, value: null })).toEqual({
      origin: { topic: "messages.dead_letters", partition: 0, offset: 7 },
      reason: "no reason given",
      stage: "UNKNOWN",
      code: undefined,
      key: null,
      value: null,
      arrivedMs: 1000,
    });
  });

  it("is accepted with headers of any shape", () => {
    for (const strange of [
      undefined,
      null,
      [Buffer.from("1"), Buffer.from("2")],
      Buffer.from("-1"),
      "",
      {},
    ]) {
      const found = parseDeadLetter({
        ...record,
        headers: { ...headers, "__connect.errors.offset": strange },
      });
      expect(found.origin).toEqual({ topic: "messages.dead_letters", partition: 0, offset: 7 });
    }
  });

  it("has the name of the error as reason if there is no text, and never a long reason", () => {
    const reasonFor = (message: string): string =>
      parseDeadLetter({
        ...record,
        headers: { ...headers, "__connect.errors.exception.message": Buffer.from(message) },
      }).reason;
    expect(reasonFor("")).toBe("com.mongodb.kafka.connect.sink.dlq.WriteException");
    expect(reasonFor("x".repeat(10_000)).length).toBe(1000);
  });
});

describe("the kind of a dead letter", () => {
  const stored = { offset: 3, arrivedMs: 500, value: 21.5 };

  it("is duplicate if the same value is stored, and conflict if another is", () => {
    expect(kindOf(letter(), stored)).toBe("duplicate");
    expect(kindOf(letter(), { ...stored, value: 21.6 })).toBe("conflict");
    expect(kindOf(letter({ value: Buffer.from("{") }), stored)).toBe("conflict");
  });

  it("is redelivery if it is the stored reading itself", () => {
    expect(kindOf(letter(), { ...stored, offset: 41, arrivedMs: 1000 })).toBe("redelivery");
  });

  it("is not redelivery if only the offset is the same, which may be of another partition", () => {
    expect(kindOf(letter(), { ...stored, offset: 41 })).toBe("duplicate");
  });

  it("is duplicate if what was stored has expired", () => {
    expect(kindOf(letter({ value: null }), undefined)).toBe("duplicate");
  });

  it("is invalid if it was rejected for any reason but a stored identity", () => {
    expect(kindOf(letter({ code: 121 }), stored)).toBe("invalid");
    expect(kindOf(letter({ code: undefined }), undefined)).toBe("invalid");
  });
});

describe("the identity of a rejected record", () => {
  const identity = { deviceId: "a", sensor: "temperature", timestampMs: Date.UTC(2026, 10, 23, 20) };

  it("is in the key", () => {
    expect(identityOfMessage(letter({ value: null }))).toEqual(identity);
  });

  it("is in the value if the key has none", () => {
    for (const key of [null, "", "tick", "a|b"]) expect(identityOfMessage(letter({ key }))).toEqual(identity);
  });

  it("is undefined if neither has one", () => {
    for (const text of [
      "",
      "null",
      "7",
      "[]",
      "{",
      '{"device_id":"a"}',
      '{"device_id":1,"sensor":2,"timestamp":3}',
    ]) {
      expect(identityOfMessage(letter({ key: null, value: Buffer.from(text) }))).toBeUndefined();
    }
  });

  it("of a partial is in its key", () => {
    const key = "a|temperature|2026-11-23T20:00:00.000Z|2026-11-23T20:00:10.000Z";
    expect(identityOfPartial(letter({ key }))).toEqual({
      deviceId: "a",
      sensor: "temperature",
      windowMs: identity.timestampMs,
      segmentMs: identity.timestampMs + 10_000,
    });
    for (const wrong of [null, "", "a|b|c|d", `${key}|x`, key.slice(0, -1)]) {
      expect(identityOfPartial(letter({ key: wrong }))).toBeUndefined();
    }
  });
});
