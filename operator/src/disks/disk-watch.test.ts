import { expect, it } from "vitest";
import { createDiskWatch, type Disk } from "./disk-watch.ts";

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const { signal } = new AbortController();

function disk(name: string, freeBytes: number, totalBytes: number, hasFailed = false): Disk {
  return { name, freeBytes, totalBytes, hasFailed };
}

it("names each disk that is almost full or has failed, until it has recovered", async () => {
  let disks: readonly Disk[] = [
    disk("of broker 1", 50 * mib, 100 * gib),
    disk("of broker 2", 2 * gib, 100 * gib),
    disk("of broker 3", -1, -1, true),
    disk("of the database", 3 * mib, 48 * mib),
    disk("that is not measured", -1, -1),
  ];
  const watch = createDiskWatch({ readDisks: async () => disks, everyMs: 0 });
  await watch.observe(0, signal);
  expect(watch.standing).toEqual([
    expect.stringMatching(/^the disk of broker 1 is almost full: 50\.0 MiB of 102400\.0 MiB free; add space/),
    expect.stringMatching(/^a log directory of broker 3 has failed: free or replace its disk/),
    expect.stringMatching(/^the disk of the database is almost full: 3\.0 MiB of 48\.0 MiB free/),
  ]);
  const [full, ...others] = disks;
  disks = others;
  await watch.observe(1, signal);
  expect(watch.standing[0]).toContain(`the disk ${full!.name} is almost full`);
  disks = [full!, ...others].map(({ name }) => disk(name, 10 * gib, 100 * gib));
  await watch.observe(2, signal);
  expect(watch.standing).toEqual([]);
});

it("reads the disks at its interval, keeps the result in between, and reads again at once after a failure", async () => {
  let reads = 0;
  let isBroken = false;
  const watch = createDiskWatch({
    async readDisks() {
      reads++;
      if (isBroken) throw new Error("no answer");
      return [disk("of broker 1", 1, 1000)];
    },
    everyMs: 1000,
  });
  for (const now of [0, 500, 999]) await watch.observe(now, signal);
  expect([reads, watch.standing.length]).toEqual([1, 1]);
  isBroken = true;
  await expect(watch.observe(1000, signal)).rejects.toThrow("no answer");
  await expect(watch.observe(1001, signal)).rejects.toThrow("no answer");
  expect([reads, watch.standing.length]).toEqual([3, 1]);
});
