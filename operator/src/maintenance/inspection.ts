import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { type Part, retentionMarks } from "../definition/difference.ts";

/** Compares a mesh with its desired state, at intervals, and repairs it. */
export type Inspection = {
  /**
   * Returns the problems that the last inspection found, as text; inspects first if that is due or `urgent`, and once
   * again after a repair. `now` is in ms of any monotonic clock. Rejects if the mesh cannot be inspected, and when the
   * signal aborts; the problems stay then. A repair in progress is not cancelled: no other inspection begins before it
   * ends.
   */
  run(now: number, urgent: boolean, signal?: AbortSignal): Promise<readonly string[]>;
  /** The problems that the last inspection found. */
  readonly standing: readonly string[];
};

/** Creates the inspection of a mesh: it calls `inspect` at most once in each interval. */
export function createInspection(options: {
  inspect(signal?: AbortSignal): Promise<readonly Part[]>;
  readonly everyMs: number;
  readonly logger: Logger;
}): Inspection {
  const { inspect, everyMs, logger } = options;
  let standing: readonly string[] = [];
  let dueMs = Number.NEGATIVE_INFINITY;
  let isInspecting = false;

  /** Whether the part was repaired; a part that cannot be repaired is a problem. */
  async function repair(part: Part, problems: string[]): Promise<boolean> {
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
    async run(now, urgent, signal) {
      if (isInspecting || (now < dueMs && !urgent)) return standing;
      isInspecting = true;
      try {
        const differing = (await inspect(signal)).filter(isProblem);
        const problems = differing.map(describePart);
        let isRepaired = false;
        // Reported before the repair: a part that was missing is worth a line, even for a short time.
        for (const part of differing.filter(isRepairable)) {
          if (signal?.aborted) break;
          isRepaired = (await repair(part, problems)) || isRepaired;
        }
        standing = problems;
        dueMs = isRepaired ? now : now + everyMs;
        return standing;
      } finally {
        isInspecting = false;
      }
    },
  };
}

/** A difference that the mesh works with is not a problem; the plan lists it. */
function isProblem({ difference }: Part): boolean {
  return difference.kind !== "same" && difference.kind !== "left";
}

/**
 * A missing topic or missing retention marks mean lost data or lost knowledge of deletions. They are reported, not
 * created empty, so that no loss goes unnoticed.
 */
function isRepairable({ what, difference }: Part): boolean {
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
