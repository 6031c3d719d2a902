import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { afterEach, describe, expect, it } from "vitest";
import { allTime } from "../../plan/planner.ts";
import type { ReadingStore } from "../reading-store.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const everything = { deviceIds: [], sensors: [] };
const plan = { levels: [[]], raw: [] };

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

function storeAt(port: number): ReadingStore {
  const connection = openMongo({ url: `mongodb://127.0.0.1:${port}`, database: "none", appName: "test" });
  opened.push(connection);
  return createMongoReadingStore({ db: connection.db, clock: Date.now });
}

/** A server that accepts connections and never answers. */
async function silentPort(): Promise<number> {
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return portOf(server);
}

/** A port on which no server listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Every unary read, with this signal. */
function reads(store: ReadingStore, signal: AbortSignal): [string, () => Promise<unknown>][] {
  return [
    ["readHorizon", () => store.readHorizon(signal)],
    ["readDuplicates", () => store.readDuplicates({ filter: everything, limit: 1 }, signal)],
    ["readDuplicateWindows", () => store.readDuplicateWindows({ filter: everything, ...allTime }, signal)],
    ["readPartials", () => store.readPartials({ plan, filter: everything }, signal)],
    [
      "readReadings",
      () => store.readReadings({ filter: everything, ...allTime, descending: false, limit: 1 }, signal),
    ],
    ["readSeries", () => store.readSeries({ filter: everything, limit: 1 }, signal)],
    ["readStatus", () => store.readStatus(signal)],
  ];
}

/** The deadline of a caller: less than the 30 s for which the driver waits for a server by default. */
const callTimeoutMs = 25_000;

describe("an unavailable MongoDB", () => {
  it("makes every read UNAVAILABLE before its caller gives up, with a retry delay", async () => {
    const store = storeAt(await closedPort());
    const signal = AbortSignal.timeout(callTimeoutMs);
    await Promise.all(
      reads(store, signal).map(([method, read]) =>
        expect(read(), method).rejects.toMatchObject({
          name: "RpcError",
          code: "UNAVAILABLE",
          details: [{ kind: "retryInfo", retryDelayMs: 1000 }],
        }),
      ),
    );
  });

  it("makes the horizon, which every query reads first, UNAVAILABLE before its caller gives up if it is silent", async () => {
    const store = storeAt(await silentPort());
    await expect(store.readHorizon(AbortSignal.timeout(callTimeoutMs))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  });

  it("releases at once a caller that cancels", async () => {
    const store = storeAt(await silentPort());
    const caller = new AbortController();
    const reason = new Error("the caller disconnected");
    const calls = reads(store, caller.signal).map(([method, read]) =>
      expect(read(), method).rejects.toBe(reason),
    );
    // Without the reason of the caller, each would be UNAVAILABLE after its own time limit.
    caller.abort(reason);
    await Promise.all(calls);
  });

  it("ends a watch with UNAVAILABLE", async () => {
    const store = storeAt(await closedPort());
    const watch = store.watchChanges(new AbortController().signal)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("ends a watch at once and silently when its caller cancels", async () => {
    const store = storeAt(await silentPort());
    const ending = new AbortController();
    const ended = store.watchChanges(ending.signal)[Symbol.asyncIterator]().next();
    ending.abort();
    expect((await ended).done).toBe(true);
  });
});
