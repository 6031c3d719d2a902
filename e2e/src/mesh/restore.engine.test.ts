import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections } from "@devicemesh/pipeline";
import type { Db, Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { expectAllFromWindows, expectExact } from "../../testing/mesh/exact-sets.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { everyMs } from "../../testing/mesh/waits.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("a database that was restored from a backup", () => {
  it("has every reading again after --replay restored, each once, and windows that equal brute force", async () => {
    const prefix = "restored.";
    await using before = await startRealMesh(engines!, "restore");
    const load = startSteadyLoad({ target: before.address, prefix });
    let backup: Backup;
    let duplicates = 0;
    try {
      await waitUntil(() => load.acked.size > 2000, { timeoutMs: 120_000, everyMs, what: "readings flow" });
      await before.untilSealed();
      // In the middle of the load, while everything changes.
      backup = await backUp(before.db);
      const atBackup = load.acked.size;
      const enough = () => load.acked.size > atBackup + 4000;
      await waitUntil(enough, { timeoutMs: 120_000, everyMs, what: "more readings" });
      using publisher = createPublisher(before.address);
      const again = [...load.sent].filter(
        ([identity], place) => place % 40 === 0 && load.acked.has(identity),
      );
      duplicates = again.length;
      await publisher.publish(
        again.map(([, message]) => readingOf({ ...message, value: message.value * 0.999 })),
      );
      await load.finish();
    } finally {
      load.abort();
    }
    const refused = await replay(before, "restored");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("is active");
    await before.services.stop();

    await restore(before.db, backup);
    const left = await before.storedIdentities();
    expect([...load.acked].filter((identity) => !left.has(identity)).length).toBeGreaterThan(1000);
    const reported = await waitUntilReplayed(before);
    expect(reported).toMatch(/records of \S+processed_messages again, from 20\S+Z on/);
    expect(reported).toContain("everything that was in the log is stored");

    const { topicPrefix, database } = { topicPrefix: topicPrefixOf(before), database: before.names.database };
    const checkpoints = `${engines!.folder}/checkpoints/${topicPrefix.slice(0, -1)}`;
    await using after = await startRealMesh(engines!, "restored", { topicPrefix, database, checkpoints });
    await after.untilComplete();
    await expectExact(after, load, prefix);
    await after.untilSealed();
    await expectAllFromWindows(after, load.sent.values());
    await expectExact(after, load, prefix);
    const { status } = await after.query.getPipelineStatus({});
    expect(Number(status?.conflicts)).toBeGreaterThanOrEqual(duplicates * 0.9);
  }, 900_000);
});

type Backup = ReadonlyMap<string, readonly Document[]>;

/** All documents; the frontier first, so that everything it covers is in the documents copied later. */
async function backUp(db: Db): Promise<Backup> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const rest = names.filter((name) => name !== collections.frontier).sort();
  const copied = new Map<string, readonly Document[]>();
  for (const name of [collections.frontier, ...rest]) {
    copied.set(name, await db.collection(name).find().toArray());
  }
  return copied;
}

async function restore(db: Db, backup: Backup): Promise<void> {
  for (const [name, documents] of backup) {
    await db.collection(name).deleteMany({});
    if (documents.length > 0) await db.collection(name).insertMany([...documents]);
  }
}

function topicPrefixOf({ names }: RealMesh): string {
  return names.topics.messages.slice(0, -collections.messages.length);
}

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The operator's own command, like a user runs it. */
async function replay(mesh: RealMesh, from: string): Promise<Ended> {
  const main = fileURLToPath(new URL("../../../operator/src/main.ts", import.meta.url));
  const flags = [
    ...["--kafka-brokers", mesh.engines.kafkaBrokers.join(","), "--connect-url", mesh.engines.connectUrl],
    ...["--mongodb-url", mesh.engines.mongodbUrl, "--mongodb-database", mesh.names.database],
    ...["--topic-prefix", topicPrefixOf(mesh), "--replay", from],
  ];
  return await promisify(execFile)(process.execPath, [main, ...flags]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => error,
  );
}

/** The lease in the backup may not have expired yet. */
async function waitUntilReplayed(mesh: RealMesh): Promise<string> {
  let ended: Ended | undefined;
  await waitUntil(
    async () => {
      ended = await replay(mesh, "restored");
      return ended.code === 0 || !ended.stderr.includes("is active");
    },
    { timeoutMs: 180_000, everyMs, what: "the lease of the aggregator runs out" },
  );
  expect(ended).toMatchObject({ code: 0 });
  return ended!.stdout;
}
