import { reasonOf } from "../observability/failure-reason.ts";
import type { Logger } from "../observability/logger.ts";
import { withoutFigures } from "./dependency-health.ts";

/** Logs the result of repeated attempts: a line at the first failure, at another reason, and at recovery. */
export type FailureLog = {
  /** Formats the reason in one line. */
  failed(error: unknown): string;
  succeeded(): void;
};

/** Creates a log without entries. `fields` are in every line. */
export function createFailureLog(options: {
  readonly logger: Logger;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly failed: string;
  readonly recovered: string;
}): FailureLog {
  const { logger, fields = {} } = options;
  let known: string | undefined;
  return {
    failed(error) {
      const reason = reasonOf(error);
      const news = withoutFigures(reason);
      if (news !== known) logger.warn({ ...fields, reason }, options.failed);
      known = news;
      return reason;
    },
    succeeded() {
      if (known === undefined) return;
      known = undefined;
      logger.info(fields, options.recovered);
    },
  };
}
