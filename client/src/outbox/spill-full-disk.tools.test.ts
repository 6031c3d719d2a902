import { rmSync } from "node:fs";
import { join } from "node:path";
import { mountSmallDisk, putBallast } from "@devicemesh/kit/testing/small-disk-fixture";
import { describe, expect, it } from "vitest";
import { acked, createFakeSender, createTestOutbox, numbers } from "../../testing/outbox-fixture.ts";
import { openSpill } from "./spill.ts";

describe("a spill folder on a full disk", () => {
  it("is reported once with its path; units stay in memory while they fit, and the folder is used again when it has space", async () => {
    using disk = mountSmallDisk(2);
    const folder = join(disk.path, "spill");
    const problems: string[] = [];
    const spill = openSpill({ folder, tag: "test", onProblem: ({ text }) => problems.push(text) });
    const ballast = putBallast(disk, 2);
    const fake = createFakeSender();
    const { outbox, clock, add } = createTestOutbox({ sender: fake.sender, spill });
    const before = add(400);
    expect(problems).toEqual([expect.stringMatching(/^spill folder .*spill: disk full; .*free disk space$/)]);
    expect(outbox.counts().spilled).toBe(0);

    rmSync(ballast);
    while (fake.sent.length < 4) await fake.reply(acked(fake.sent.at(-fake.waiting.length)!.length));
    const after = add(400);
    expect(outbox.counts().spilled).toBeGreaterThan(0);
    const flushed = outbox.flush();
    while (fake.waiting.length > 0) await fake.reply(acked(fake.sent.at(-fake.waiting.length)!.length));
    await clock.advanceAsync(10_000);
    await flushed;
    expect(outbox.counts()).toMatchObject({ acked: before + after, pending: 0, spilled: 0 });
    expect(fake.sent.flat().slice(0, before)).toEqual(numbers(1, before));
    expect(problems).toHaveLength(1);
  });
});
