import { MongoBulkWriteError, MongoServerError } from "mongodb";
import { describe, expect, it } from "vitest";
import { isDatabaseDiskFull } from "./mongo-database-disk.ts";

const full = { message: "disk", code: 14_031, codeName: "OutOfDiskSpace" };

describe("a write to a database without disk space", () => {
  it.each([
    ["an error of the server", new MongoServerError(full)],
    ["its cause", new Error("the fold failed", { cause: new MongoServerError(full) })],
    [
      "a bulk write",
      Object.assign(new MongoBulkWriteError({ message: "1 write failed", code: 11_000 }, {} as never), {
        writeErrors: [{ code: 11_000 }, { code: 14_031 }],
      }),
    ],
    ["the system's text", new Error("28: No space left on device")],
    [
      "the trace of a sink",
      "org.apache.kafka.connect.errors.DataException\n\tat a.b\nCaused by: com.mongodb.MongoCommandException: Command failed with error 14031 (OutOfDiskSpace): 'disk'",
    ],
    ["a write error in it", "BulkWriteError{index=0, code=14031, message='disk', details={}}"],
  ])("is found in %s", (_, failure) => {
    expect(isDatabaseDiskFull(failure)).toBe(true);
  });

  it("is not found in other failures", () => {
    const cyclic = new Error("round");
    cyclic.cause = cyclic;
    const others = [
      new MongoServerError({ message: "E11000 duplicate key", code: 11_000 }),
      new Error("connect ECONNREFUSED 127.0.0.1:14031"),
      "BulkWriteError{index=0, code=11000, message='dup', details={}}",
      undefined,
      cyclic,
    ];
    expect(others.filter(isDatabaseDiskFull)).toEqual([]);
  });
});
