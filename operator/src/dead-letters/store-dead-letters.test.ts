import type { PartialFigures } from "@devicemesh/pipeline";
import { describe, expect, it } from "vitest";
import type { DeadLetter, StoredReading } from "./dead-letter.ts";
import type { DeadLetterStore } from "./dead-letter-store.ts";
import { takeDeadLetters } from "./store-dead-letters.ts";

const at = (seconds: number): number => Date.UTC(2026, 10, 23, 20, 0, seconds);
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

function letter(seconds: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    origin: { topic: "messages", partition: 0, offset: 1000 + seconds },
    reason: "",
    stage: "TASK_PUT",
    code: 11_000,
    key: `a|temperature|${iso(seconds)}`,
    value: Buffer.from('{"value":1}'),
    arrivedMs: at(3600 + seconds),
    ...changes,
  };
}

/** A store that holds readings by identity and records its calls. */
function storeOf(
  readings: Readonly<Record<string, StoredReading>>,
  partials: Readonly<Record<string, PartialFigures>> = {},
) {
  const asked: (readonly string[])[] = [];
  const written: Parameters<DeadLetterStore["write"]>[0][] = [];
  const store: DeadLetterStore = {
    async readStored(identities) {
      asked.push(identities);
      return new Map(identities.flatMap((id) => (readings[id] ? [[id, readings[id]] as const] : [])));
    },
    async readStoredPartials() {
      return new Map(Object.entries(partials));
    },
    async write(batch) {
      written.push(batch);
    },
  };
  return { store, asked, written };
}

describe("storing dead letters of the messages", () => {
  it("marks each window once, from the first duplicate to the last", async () => {
    const { store, written } = storeOf({});
    const letters = [letter(3), letter(1), letter(9), letter(10)];
    await takeDeadLetters(letters, { sink: "messages", store, windowMs: 10_000 });
    expect(written[0]?.marks).toEqual([
      {
        id: `a|temperature|${iso(0)}`,
        deviceId: "a",
        sensor: "temperature",
        windowMs: at(0),
        firstDuplicateMs: at(3601),
        lastDuplicateMs: at(3609),
      },
      expect.objectContaining({ windowMs: at(10), firstDuplicateMs: at(3610), lastDuplicateMs: at(3610) }),
    ]);
  });

  it("marks nothing for a redelivery, and reads a whole batch at once", async () => {
    const one = letter(1);
    const { store, asked, written } = storeOf({
      [one.key!]: { offset: one.origin.offset, arrivedMs: one.arrivedMs, value: 1 },
    });
    await takeDeadLetters([one, letter(2), letter(2)], { sink: "messages", store, windowMs: 10_000 });
    expect(asked).toEqual([[letter(1).key, letter(2).key]]);
    expect(written[0]?.letters.map(({ kind }) => kind)).toEqual(["redelivery", "duplicate", "duplicate"]);
    expect(written[0]?.marks).toMatchObject([{ firstDuplicateMs: at(3602) }]);
  });

  it("marks the window of an invalid record, which the window job may have counted, without a read", async () => {
    const { store, asked, written } = storeOf({});
    const nameless = letter(20, { code: undefined, key: null, value: null });
    await takeDeadLetters([letter(1, { code: 121 }), nameless], {
      sink: "messages",
      store,
      windowMs: 10_000,
    });
    expect(asked).toEqual([]);
    expect(written[0]?.letters.map(({ kind }) => kind)).toEqual(["invalid", "invalid"]);
    expect(written[0]?.marks).toMatchObject([{ windowMs: at(0) }]);
  });
});

describe("storing dead letters of the windows", () => {
  it("stores them as invalid, and marks the window from its segment on", async () => {
    const { store, written } = storeOf({});
    const refused = letter(0, { key: `a|temperature|${iso(0)}|${iso(50)}`, code: 11_000 });
    await takeDeadLetters([refused, letter(0, { key: "?" })], { sink: "windows", store, windowMs: 10_000 });
    expect(written[0]?.letters.map(({ kind }) => kind)).toEqual(["invalid", "invalid"]);
    expect(written[0]?.marks).toEqual([
      expect.objectContaining({ windowMs: at(0), firstDuplicateMs: at(50), lastDuplicateMs: at(50) }),
    ]);
  });

  const figures = {
    count: 3,
    sum: 6.3,
    minimum: 1,
    maximum: 3.5,
    first_value: 1,
    last_value: 3.5,
    m2: 3.25,
  };
  const times = { minimum_at: at(1), maximum_at: at(3), first_at: at(1), last_at: at(3) };
  const key = `a|temperature|${iso(0)}|${iso(50)}`;
  const stored = {
    [key]: {
      ...figures,
      minimum_at: new Date(at(1)),
      maximum_at: new Date(at(3)),
      first_at: new Date(at(1)),
      last_at: new Date(at(3)),
    },
  };
  const again = (changes: Readonly<Record<string, unknown>>) =>
    letter(0, { key, value: Buffer.from(JSON.stringify({ ...figures, ...times, ...changes })) });

  it("recognizes a redelivery of the stored partial: nothing is marked or kept", async () => {
    const { store, written } = storeOf({}, stored);
    const letters = [again({}), again({ sum: 6.300000000000001 })];
    const kinds = await takeDeadLetters(letters, { sink: "windows", store, windowMs: 10_000 });
    expect(kinds).toEqual(["redelivery", "redelivery"]);
    expect(written).toEqual([]);
  });

  it.each([{ count: 4 }, { sum: 6.31 }, { last_at: at(4) }, { m2: "3.25" }])(
    "marks the window of a partial that differs from the stored one by %j",
    async (change) => {
      const { store, written } = storeOf({}, stored);
      const kinds = await takeDeadLetters([again(change), again({})], {
        sink: "windows",
        store,
        windowMs: 10_000,
      });
      expect(kinds).toEqual(["invalid", "redelivery"]);
      expect(written[0]?.letters).toHaveLength(1);
      expect(written[0]?.marks).toMatchObject([{ windowMs: at(0), firstDuplicateMs: at(50) }]);
    },
  );
});
