import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type DeadLetterDocument, type DuplicateWindowDocument } from "@devicemesh/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, goodRecord, type MeshFixture, openMeshFixture } from "../../testing/mesh-fixture.ts";
import { poisonRecords } from "../../testing/poison-records.ts";
import { meshDefinition } from "../../testing/prepare-mesh.ts";
import { readGroupProgress } from "../maintenance/kafka-progress.ts";
import { replaySink } from "../replay/replay-sink.ts";
import { startDeadLetters } from "./dead-letters.ts";

const engines = await testEngines();

describe.skipIf(!engines)("the reader of dead letters", () => {
  let mesh: MeshFixture;

  beforeAll(async () => {
    mesh = await openMeshFixture(freshMesh(engines!));
  });

  afterAll(() => mesh?.[Symbol.asyncDispose]());

  const start = () =>
    startDeadLetters({
      engines: mesh.engines,
      mesh: meshDefinition(mesh.options),
      logger: silentLogger(),
      retry: { firstMs: 200, longestMs: 2000 },
    });

  /** Resolves when the group has committed every record, and at least one in every partition. */
  async function read(): Promise<void> {
    const { topics, deadLetterGroup } = mesh.names;
    await waitUntil(
      async () => {
        const topicsOfDeadLetters = [topics.messageDeadLetters, topics.windowDeadLetters];
        const offsets = await mesh.engines.withAdmin((admin) =>
          admin.fetchOffsets({ groupId: deadLetterGroup, topics: topicsOfDeadLetters }),
        );
        if (offsets.some(({ partitions }) => partitions.some(({ offset }) => Number(offset) < 0)))
          return false;
        const progress = await Promise.all(
          topicsOfDeadLetters.map((topic) =>
            readGroupProgress(mesh.engines.withAdmin, deadLetterGroup, topic),
          ),
        );
        return progress.every(({ lag }) => lag === 0);
      },
      { timeoutMs: 30_000, what: "all dead letters are read" },
    );
  }

  const letters = (): Promise<DeadLetterDocument[]> =>
    mesh.engines.db.collection<DeadLetterDocument>(collections.deadLetters).find().sort({ _id: 1 }).toArray();
  const duplicates = (): Promise<DuplicateWindowDocument[]> =>
    mesh.engines.db
      .collection<DuplicateWindowDocument>(collections.duplicateWindows)
      .find()
      .sort({ _id: 1 })
      .toArray();

  it("commits the beginning of empty topics", async () => {
    await using _ = start();
    await read();
  });

  it("distinguishes duplicates, conflicts and invalid records, and marks their windows", async () => {
    await using _ = start();
    const { messages } = mesh.names.topics;
    const [, duplicate, conflict, invalid] = await mesh.append(messages, [
      goodRecord("a", 1, 5),
      goodRecord("a", 1, 5),
      goodRecord("a", 1, 6),
      { ...goodRecord("a", 12), value: "poison" },
      { key: "no identity", value: "poison" },
    ]);
    await mesh.sunk("messages");
    await read();
    const found = await letters();
    const kinds = new Map(found.map(({ offset, kind }) => [offset, kind]));
    expect([duplicate, conflict, invalid].map((offset) => kinds.get(offset!))).toEqual([
      "duplicate",
      "conflict",
      "invalid",
    ]);
    const one = found.find(({ offset }) => offset === conflict);
    expect(one).toMatchObject({
      _id: `${messages}/0/${conflict}`,
      stage: "TASK_PUT",
      key: goodRecord("a", 1).key,
      topic: messages,
      partition: 0,
    });
    expect(one?.reason).toContain("11000");
    expect(Buffer.from(one!.value!.buffer).toString()).toBe(goodRecord("a", 1, 6).value);
    const marks = await duplicates();
    expect(marks.map(({ _id }) => _id)).toEqual([
      "a|temperature|2026-11-23T20:00:00.000Z",
      "a|temperature|2026-11-23T20:00:10.000Z",
    ]);
    const arrived = (offset: number | undefined) => found.find((letter) => letter.offset === offset)?.arrived;
    expect(marks[0]).toMatchObject({ first_repeat: arrived(duplicate), last_repeat: arrived(conflict) });
    expect(marks[0]?.window_start).toEqual(new Date("2026-11-23T20:00:00.000Z"));
  });

  it("marks no window when the whole topic is replayed, and keeps the kinds", async () => {
    await using _ = start();
    const before = { letters: await letters(), duplicates: await duplicates() };
    await replaySink(mesh.engines.rest, mesh.names.connectors.messages);
    await mesh.sunk("messages");
    await read();
    const after = await letters();
    expect(await duplicates()).toEqual(before.duplicates);
    expect(after.filter(({ kind }) => kind !== "redelivery")).toEqual(before.letters);
    const redelivered = after.filter(({ kind }) => kind === "redelivery");
    expect(redelivered.length).toBe(await mesh.engines.db.collection(collections.messages).countDocuments());
    expect(redelivered.every(({ value }) => value === null)).toBe(true);
  });

  it("changes nothing when it reads everything again", async () => {
    const before = { letters: await letters(), duplicates: await duplicates() };
    const { deadLetterGroup, topics } = mesh.names;
    await mesh.engines.withAdmin((admin) =>
      admin.resetOffsets({ groupId: deadLetterGroup, topic: topics.messageDeadLetters, earliest: true }),
    );
    await using _ = start();
    await read();
    expect({ letters: await letters(), duplicates: await duplicates() }).toEqual(before);
  });

  it("accepts dead letters of any shape, and finds the window of a rejected partial", async () => {
    await using _ = start();
    const { messageDeadLetters, windowDeadLetters, windows } = mesh.names.topics;
    const before = (await letters()).length;
    await mesh.append(messageDeadLetters, [
      { key: null, value: null },
      { key: "", value: "" },
      ...poisonRecords().map(({ key, value }) => ({ key, value })),
    ]);
    await mesh.append(windowDeadLetters, [{ key: "?", value: null }]);
    const window = "b|temperature|2026-11-23T20:00:00.000Z";
    await mesh.append(windows, [{ key: `${window}|2026-11-23T21:00:00.000Z`, value: "{}" }]);
    await mesh.sunk("windows");
    await read();
    expect((await letters()).length).toBe(before + 2 + poisonRecords().length + 2);
    const arrived = new Date("2026-11-23T21:00:00.000Z");
    expect((await duplicates()).find(({ _id }) => _id === window)).toMatchObject({
      first_repeat: arrived,
      last_repeat: arrived,
    });
  });
});
