import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import type { Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { startMongoWire } from "../../../testing/mongo/mongo-wire-fixture.ts";
import { createLargeReads, type LargeReads } from "./mongo-large-reads.ts";

type Options = Parameters<Parameters<LargeReads>[1]>[0];

/** Large reads over a server that answers no aggregation, like an overloaded one. */
async function openBusy() {
  const wire = await startMongoWire((command) => ("aggregate" in command ? undefined : {}));
  const connection = openMongo({ url: wire.url, database: "test", appName: "test" });
  const large = createLargeReads(connection.db);
  const named = (name: string) => wire.commands.filter((command) => name in command);
  return {
    named,
    read: (signal: AbortSignal) =>
      large(signal, (options: Options) =>
        connection.db
          .collection("readings")
          .aggregate([], { ...options })
          .toArray(),
      ),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await wire[Symbol.asyncDispose]();
    },
  };
}

/** The session of a command. */
function sessionOf(command: Document | undefined): string {
  return command?.lsid.id.toString("hex");
}

describe("a large read, as a real server receives it", () => {
  it("has its time limit and its session, and the session is killed when its caller cancels", async () => {
    await using busy = await openBusy();
    const caller = new AbortController();
    const read = busy.read(caller.signal).catch((error: Error) => error.message);
    await waitUntil(() => busy.named("aggregate").length === 1);
    const [aggregate] = busy.named("aggregate");
    expect(aggregate?.maxTimeMS).toBe(55_000);
    expect(sessionOf(aggregate)).toMatch(/^[0-9a-f]{32}$/);
    expect(busy.named("killSessions")).toEqual([]);

    caller.abort(new Error("the caller is gone"));
    expect(await read).toBe("the caller is gone");
    await waitUntil(() => busy.named("killSessions").length === 1);
    const [killed] = busy.named("killSessions");
    expect(killed?.killSessions).toHaveLength(1);
    expect(killed?.killSessions[0].id.toString("hex")).toBe(sessionOf(aggregate));
  });

  it("is one of at most six at a time, even if callers cancel and retry", async () => {
    await using busy = await openBusy();
    const callers = Array.from({ length: 20 }, () => new AbortController());
    const reads = callers.map((caller) => busy.read(caller.signal).catch(() => {}));
    await waitUntil(() => busy.named("aggregate").length === 6);
    for (const caller of callers) caller.abort(new Error("too late"));
    await Promise.all(reads);
    await waitUntil(() => busy.named("killSessions").length === 6);
    // The server has not ended them yet.
    const again = new AbortController();
    const waiting = Array.from({ length: 6 }, () => busy.read(again.signal).catch(() => {}));
    await delay(50);
    expect(busy.named("aggregate")).toHaveLength(6);
    again.abort(new Error("the test has ended"));
    await Promise.all(waiting);
    expect(busy.named("killSessions")).toHaveLength(6);
  });
});
