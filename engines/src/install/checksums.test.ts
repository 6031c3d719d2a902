import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { readChecksums, verifyChecksums } from "./checksums.ts";
import { partSource } from "./engine-parts.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function folderOfJars(): ReturnType<typeof temporaryFolder> {
  const folder = temporaryFolder();
  mkdirSync(join(folder.path, "lib"));
  writeFileSync(join(folder.path, "lib/a.jar"), "aaa");
  writeFileSync(join(folder.path, "lib/b.jar"), "bb");
  writeFileSync(join(folder.path, "notes.txt"), "no jar");
  return folder;
}

const sums = new Map([
  ["lib/a.jar", sha256("aaa")],
  ["lib/b.jar", sha256("bb")],
]);

describe("checksums", () => {
  it("that match return the size of all jars", async () => {
    using folder = folderOfJars();
    expect(await verifyChecksums(folder.path, sums)).toBe(5);
  });

  it("report a changed jar", async () => {
    using folder = folderOfJars();
    writeFileSync(join(folder.path, "lib/b.jar"), "bc");
    await expect(verifyChecksums(folder.path, sums)).rejects.toThrow(
      "the checksums do not agree:\nlib/b.jar is not the file that was checked in",
    );
  });

  it("report a missing jar and an unlisted one", async () => {
    using folder = folderOfJars();
    rmSync(join(folder.path, "lib/a.jar"));
    writeFileSync(join(folder.path, "lib/c.jar"), "c");
    await expect(verifyChecksums(folder.path, sums)).rejects.toThrow(
      "lib/a.jar is missing\nlib/c.jar is not listed",
    );
  });

  it("exist for both sets of jars, one for each file", () => {
    for (const [part, count] of [
      ["kafka", 93],
      ["spark", 230],
    ] as const) {
      expect(readChecksums(readFileSync(join(partSource(part), "SHA256SUMS"), "utf8")).size).toBe(count);
    }
  });

  it("in a malformed line are rejected", () => {
    expect(() => readChecksums("abc  lib/a.jar")).toThrow("not a checksum: abc  lib/a.jar");
  });
});
