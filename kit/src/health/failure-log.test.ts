import { expect, it } from "vitest";
import { createLogger } from "../observability/logger.ts";
import { createFailureLog } from "./failure-log.ts";

it("a failure is logged once for each reason, and once when it has ended", () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createFailureLog({
    logger: createLogger({ name: "test", level: "info", destination }),
    fields: { loop: "ticks" },
    failed: "step failed; retrying",
    recovered: "step succeeds again",
  });
  log.succeeded();
  for (const ms of [1, 20]) expect(log.failed(new Error(`no answer in ${ms} ms`))).toMatch(/^no answer in/);
  log.failed(new Error("refused"));
  for (const _ of [1, 2]) log.succeeded();
  log.failed(new Error("refused"));
  expect(lines.map(({ msg, loop, reason }) => [msg, loop, reason])).toEqual([
    ["step failed; retrying", "ticks", "no answer in 1 ms"],
    ["step failed; retrying", "ticks", "refused"],
    ["step succeeds again", "ticks", undefined],
    ["step failed; retrying", "ticks", "refused"],
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/\\n +at /);
});
