import { SettingsError } from "@devicemesh/kit/settings-error";
import { describe, expect, it } from "vitest";
import { openMongo } from "./mongo-client.ts";

describe("a connection", () => {
  it.each([
    "mongodb://user:s3cret@",
    "mongodb://user:s3cret@:s3cret@host/",
    "mongodb://user:s3%cret@host/",
    "mongodb://user:s3cret@host/?w=x&w=y&timeout=s3cret",
    "user:s3cret@host",
    "http://user:s3cret@host",
  ])("is refused without showing the connection string, for %j", (url) => {
    const attempt = () => openMongo({ url, database: "a", appName: "test" });
    expect(attempt).toThrow(SettingsError);
    expect(attempt).toThrow(/^--mongodb-url is no connection string of MongoDB: /);
    expect(attempt).not.toThrow(/s3/);
  });

  it("is opened without asking anybody", async () => {
    await using connection = openMongo({
      url: "mongodb://user:pass@127.0.0.1:1/",
      database: "a",
      appName: "t",
    });
    expect(connection.db.databaseName).toBe("a");
  });
});
