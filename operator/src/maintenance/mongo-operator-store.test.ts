import type { Db } from "mongodb";
import { expect, it } from "vitest";
import { parseDeadLetter } from "../dead-letters/dead-letter.ts";
import { createMongoOperatorStore } from "./mongo-operator-store.ts";

/** The reason of a dead letter, from the message that the sink's connector gives for a write error. */
function reasonOf(message: string): string {
  const headers = { "__connect.errors.exception.message": message };
  const record = { topic: "dead", partition: 0, offset: 0, key: null, value: null, headers, timestampMs: 0 };
  return parseDeadLetter(record).reason;
}

type Letter = { readonly kind: string; readonly topic: string; readonly reason: string };

/** A database that counts by the fields of a filter. */
function databaseOf(letters: readonly Letter[]): Db {
  const matches = (letter: Letter, filter: { readonly [name in keyof Letter]?: string | RegExp }): boolean =>
    (["kind", "topic", "reason"] as const).every((name) => {
      const wanted = filter[name] ?? letter[name];
      return typeof wanted === "string" ? letter[name] === wanted : wanted.test(letter[name]);
    });
  const countDocuments = async (filter: object): Promise<number> =>
    letters.filter((letter) => matches(letter, filter)).length;
  return { collection: () => ({ countDocuments }) } as unknown as Db;
}

it("counts the records that a sink could not write for lack of disk space among the invalid ones", async () => {
  const full = reasonOf("v=1, code=14031, message=No space left on device, details={}");
  const invalid = reasonOf("v=1, code=121, message=Document failed validation, details={}");
  const store = createMongoOperatorStore(
    databaseOf([
      { kind: "invalid", topic: "messages", reason: full },
      { kind: "invalid", topic: "messages", reason: invalid },
      { kind: "invalid", topic: "windows", reason: full },
    ]),
  );
  expect(await store.countWithoutSpace("messages")).toBe(1);
  expect(await store.countInvalid("messages")).toBe(2);
});
