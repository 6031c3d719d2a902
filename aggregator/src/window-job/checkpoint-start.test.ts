import { describe, expect, it } from "vitest";
import { newCheckpointStart } from "./checkpoint-start.ts";

function start(options: {
  readonly frontiersMs: readonly number[];
  /** By partition: the first existing record, and the first that was appended at or after the frontier. */
  readonly firsts: readonly number[];
  readonly atFrontier: readonly number[];
}) {
  const { frontiersMs, firsts, atFrontier } = options;
  return newCheckpointStart({
    store: { readFrontier: async () => ({ completeThroughMs: 0, frontiersMs, logEndMs: undefined }) },
    offsets: { messageOffsetsAt: async (ms) => new Map((ms === 0 ? firsts : atFrontier).entries()) },
  });
}

describe("newCheckpointStart", () => {
  it("begins with the first record while nothing is folded", async () => {
    const begun = await start({ frontiersMs: [0, 0], firsts: [3, 0], atFrontier: [] });
    expect(begun).toEqual({ sinceMs: 0, startingOffsets: new Map([3, 0].entries()) });
    expect(await start({ frontiersMs: [], firsts: [0], atFrontier: [] })).toMatchObject({ sinceMs: 0 });
  });

  it("begins at the frontier if the log reaches back before it or was never cut", async () => {
    const begun = await start({ frontiersMs: [70_000, 0], firsts: [3, 0], atFrontier: [4, 0] });
    expect(begun).toEqual({ sinceMs: 70_000, startingOffsets: new Map([4, 0].entries()) });
  });

  it("fails to begin if the log may have dropped messages that arrived after the frontier", async () => {
    await expect(start({ frontiersMs: [70_000], firsts: [3, 5], atFrontier: [4, 5] })).rejects.toThrow(
      "dropped messages of partition 1 that may have arrived after the frontier (1970-01-01T00:01:10.000Z)",
    );
  });
});
