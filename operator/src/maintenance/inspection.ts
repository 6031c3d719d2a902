import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { type Part, retentionMarks } from "../definition/difference.ts";

/** Compares a mesh with what it should be, at intervals, and repairs it. */
export type Inspection = {
  /**
   * What is not as it should be, in words, as of the last inspection; inspects if that is due or `urgent`, and at
   * once again after a repair. `now` is in ms of any clock that only goes forward. Rejects if the
   * mesh cannot be inspected, and when the signal aborts; the words stay then. A repair in progress is not cut short:
   * until it is done, no other inspection begins.
   */
  look(now: number, urgent: boolean, signal?: AbortSignal): Promise<readonly string[]>;
  /** What the last inspection found. */
  readonly standing: readonly string[];
};

/** Inspects by `inspect`, so often at most. */
export function createInspection(options: {
  inspect(signal?: AbortSignal): Promise<readonly Part[]>;
  readonly everyMs: number;
  readonly logger: Logger;
}): Inspection {
  const { inspect, everyMs, logger } = options;
  let standing: readonly string[] = [];
  let dueMs = Number.NEGATIVE_INFINITY;
  let isInspecting = false;

  /** Whether it was repaired; a part that cannot be repaired is a problem like any other. */
  async function mend(part: Part, problems: string[]): Promise<boolean> {
    try {
      await part.apply();
      logger.warn({ part: part.what, difference: part.difference }, "reconciled");
      return true;
    } catch (error) {
      problems.push(`${part.what} could not be repaired: ${reasonOf(error)}`);
      return false;
    }
  }

  return {
    get standing() {
      return standing;
    },
    async look(now, urgent, signal) {
      if (isInspecting || (now < dueMs && !urgent)) return standing;
      isInspecting = true;
      try {
        const differing = (await inspect(signal)).filter(isProblem);
        const problems = differing.map(describePart);
        let mended = false;
        // Reported before the repair: a part that went missing is worth a line, however briefly.
        for (const part of differing.filter(canBeMended)) {
          if (signal?.aborted) break;
          mended = (await mend(part, problems)) || mended;
        }
        standing = problems;
        dueMs = mended ? now : now + everyMs;
        return standing;
      } finally {
        isInspecting = false;
      }
    },
  };
}

/** What the mesh works with all the same is not worth an alarm; the plan shows it. */
function isProblem({ difference }: Part): boolean {
  return difference.kind !== "same" && difference.kind !== "left";
}

/**
 * A topic that has gone has taken data with it, and retention marks what was known of data: nobody should find them
 * empty and think that nothing happened.
 */
function canBeMended({ what, difference }: Part): boolean {
  const isLoss = what.startsWith("topic ") || what === retentionMarks;
  return difference.kind === "change" || (difference.kind === "create" && !isLoss);
}

function describePart({ what, difference }: Part): string {
  switch (difference.kind) {
    case "create":
      return `${what} is missing`;
    case "change":
      return `${what} is not as it should be: ${difference.changes.map(({ setting }) => setting).join(", ")}`;
    case "left":
    case "refused":
      return `${what}: ${difference.text}`;
    case "same":
      return `${what} is as it should be`;
  }
}
