import { describe, expect, it } from "vitest";
import { createFailureLog } from "./failure-log.ts";

describe("the log of failures", () => {
  it("logs the first failure of a kind, then one a minute with the number of omitted ones", () => {
    const logged: { what: string; notLogged: number | undefined }[] = [];
    let nowMs = 0;
    const failed = createFailureLog({
      logger: {
        error: ((fields: { notLogged?: number }, what: string) =>
          logged.push({ what, notLogged: fields.notLogged })) as never,
      },
      monotonicMs: () => nowMs,
    });
    for (; nowMs < 120_000; nowMs += 1000) failed("commit failed", new Error("disk"));
    failed("maintenance failed", new Error("disk"));
    expect(logged).toEqual([
      { what: "commit failed", notLogged: undefined },
      { what: "commit failed", notLogged: 59 },
      { what: "maintenance failed", notLogged: undefined },
    ]);
  });
});
