import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { closedPort, lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startFakeMongo } from "../testing/mongo-server-fixture.ts";
import { openMongo } from "./mongo-client.ts";

describe("a connection", () => {
  it.each([
    "mongodb://user:s3cret@",
    "mongodb://user:s3cret@:s3cret@host/",
    "mongodb://user:s3%cret@host/",
    "mongodb://user:s3cret@host/?w=x&w=y&timeout=s3cret",
    "user:s3cret@host",
    "http://user:s3cret@host",
  ])("is rejected without printing the connection string, for %j", (url) => {
    const attempt = () => openMongo({ url, database: "a", appName: "test" });
    expect(attempt).toThrow(SettingsError);
    expect(attempt).toThrow(/^--mongodb-url is not a connection string of MongoDB: /);
    expect(attempt).not.toThrow(/s3/);
  });

  it("is opened without waiting for the database", async () => {
    await using connection = openMongo({
      url: "mongodb://user:pass@127.0.0.1:1/",
      database: "a",
      appName: "t",
    });
    expect(connection.db.databaseName).toBe("a");
  });
});

/** A connection with short time limits. */
function openQuickly(address: string) {
  return openMongo({ url: `mongodb://${address}`, database: "a", appName: "t", selectionTimeoutMs: 100 });
}

describe("a database that is unavailable when the connection is opened", () => {
  it("is connected to once its name resolves", async () => {
    using host = lateHost("mongo-1.example");
    const server = await startFakeMongo(0);
    await using connection = openQuickly(`${host.name}:${server.port}`);
    try {
      const ping = () => connection.db.command({ ping: 1 });
      // The error of an operation depends on the state of the attempt; that of the connection always has the cause.
      await expect(ping()).rejects.toThrow();
      await expect(connection.connected()).rejects.toThrow("ENOTFOUND mongo-1.example");
      await expect(ping()).rejects.toThrow();
      host.appear();
      await waitUntil(
        () =>
          connection.connected().then(
            () => true,
            () => false,
          ),
        { timeoutMs: 15_000 },
      );
      expect(await ping()).toMatchObject({ ok: 1 });
    } finally {
      await server.stop();
    }
  });

  it("is connected to once it listens, and again after an outage", async () => {
    const port = await closedPort();
    await using connection = openQuickly(`127.0.0.1:${port}`);
    const answers = () =>
      connection.db.command({ ping: 1 }).then(
        () => true,
        () => false,
      );
    await expect(connection.connected()).rejects.toThrow("ECONNREFUSED");
    expect(await answers()).toBe(false);
    for (const _ of ["at first", "again"]) {
      const server = await startFakeMongo(port);
      await waitUntil(answers, { timeoutMs: 15_000, everyMs: 50 });
      await server.stop();
      await waitUntil(async () => !(await answers()), { timeoutMs: 15_000, everyMs: 50 });
    }
    await connection.connected();
  });

  it("is not retried after the connection is closed", async () => {
    const port = await closedPort();
    const connection = openQuickly(`127.0.0.1:${port}`);
    await expect(connection.connected()).rejects.toThrow("ECONNREFUSED");
    await connection[Symbol.asyncDispose]();
    const server = await startFakeMongo(port);
    await expect(connection.db.command({ ping: 1 })).rejects.toThrow();
    await expect(connection.connected()).rejects.toThrow();
    await server.stop();
  });
});
