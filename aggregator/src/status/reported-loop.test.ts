import { silentLogger } from "@devicemesh/kit/observability/logger";
import { expect, it } from "vitest";
import { startReportedLoop } from "./reported-loop.ts";

it("reports the failure of a step until one succeeds, and names a full disk of the database", async () => {
  const failures = new Map<string, string>();
  let failure: Error | undefined = Object.assign(new Error("the write failed"), { code: 14_031 });
  await using _ = startReportedLoop({
    name: "levels",
    intervalMs: 1,
    async step() {
      if (failure) throw failure;
    },
    progress: { failures },
    logger: silentLogger(),
  });
  await expect
    .poll(() => failures.get("levels"))
    .toMatch(/^the disk of the database is full: add space .*: the write failed$/);
  failure = new Error("no primary");
  await expect.poll(() => failures.get("levels")).toBe("no primary");
  failure = undefined;
  await expect.poll(() => failures.size).toBe(0);
});
