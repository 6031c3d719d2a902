import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./test-helpers.ts";

/** For tests: a separate file system, in memory. */
export type SmallDisk = { readonly path: string } & Disposable;

/** Mounts a file system of `mib` MiB. @throws if that is not allowed: it needs root on Linux. */
export function mountSmallDisk(mib: number): SmallDisk {
  const folder = temporaryFolder();
  const options = ["-t", "tmpfs", "-o", `size=${mib}m`, "devicemesh-test", folder.path];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) {
    folder[Symbol.dispose]();
    throw new Error(`no file system was mounted: ${stderr}`);
  }
  return {
    path: folder.path,
    [Symbol.dispose]() {
      // A lazy unmount: a file that a failed test left open must not prevent it.
      spawnSync("umount", ["-l", folder.path]);
      folder[Symbol.dispose]();
    },
  };
}

/**
 * Uses `mib` MiB of a disk until the file is deleted, which is how a test frees space; returns the path of the file.
 */
export function putBallast(disk: SmallDisk, mib: number): string {
  const file = join(disk.path, "ballast");
  writeFileSync(file, Buffer.alloc(mib * 1024 ** 2, 1));
  return file;
}
