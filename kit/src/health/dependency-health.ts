import { reasonOf } from "../observability/failure-reason.ts";
import type { Logger } from "../observability/logger.ts";
import type { Health } from "./health.ts";

/**
 * What a service needs of others, as it was last found: told in its log, a line for each change and no more, and in
 * its health, under the name of what it needs.
 */
export type Dependencies<Name extends string> = {
  available(name: Name): void;
  /** Only the first of equal reasons is logged; figures in them do not count. */
  unavailable(name: Name, error: unknown): void;
  /** A line for each that is unavailable: `waiting for kafka: connect ECONNREFUSED 127.0.0.1:9092`. */
  problems(): string[];
};

/** Nothing is known of any at first: they count as neither. `health`, if given, must know the names. */
export function createDependencies<Name extends string>(options: {
  readonly logger: Logger;
  readonly health?: Pick<Health, "setServing"> | undefined;
}): Dependencies<Name> {
  const { logger, health } = options;
  /** The reason of each that is unavailable, and undefined of each that is available. */
  const reasons = new Map<Name, string | undefined>();
  return {
    available(name) {
      if (reasons.has(name) && reasons.get(name) === undefined) return;
      reasons.set(name, undefined);
      health?.setServing(true, name);
      logger.info({ dependency: name }, "dependency available");
    },
    unavailable(name, error) {
      const reason = reasonOf(error);
      const known = reasons.get(name);
      reasons.set(name, reason);
      if (known !== undefined && withoutFigures(known) === withoutFigures(reason)) return;
      health?.setServing(false, name);
      logger.warn({ dependency: name, reason }, "waiting for dependency");
    },
    problems: () =>
      [...reasons].flatMap(([name, reason]) =>
        reason === undefined ? [] : [`waiting for ${name}: ${reason}`],
      ),
  };
}

/** A figure that grows each time is the same news. */
export function withoutFigures(text: string): string {
  return text.replaceAll(/\d+/g, "#");
}
