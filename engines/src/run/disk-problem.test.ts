import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { diskProblem } from "./disk-problem.ts";

const logFile = join("engines", "logs", "kafka-1.log");

describe("the disk of an engine that ended or does not answer", () => {
  it("is reported when it is full, with the folder and the free space", () => {
    expect(diskProblem(logFile, () => 5 * 1024 * 1024)).toBe(
      `its disk is full (5 MiB free at ${join("engines", "logs")}): free disk space`,
    );
  });

  it("is not a problem if it has space, or if that is unknown", () => {
    expect(diskProblem(logFile, () => 1024 ** 3)).toBeUndefined();
    expect(diskProblem(logFile, () => undefined)).toBeUndefined();
    expect(diskProblem("/nowhere/at/all/kafka-1.log")).toBeUndefined();
  });

  it("reports its real free space", () => {
    using folder = temporaryFolder();
    expect(diskProblem(join(folder.path, "kafka-1.log"))).toBeUndefined();
  });
});
