import { reasonOf } from "../observability/failure-reason.ts";
import type { Logger } from "../observability/logger.ts";
import type { Health } from "./health.ts";

/**
 * The last known state of a service's dependencies: it is logged, one line for each change, and part of its health,
 * under the name of the dependency.
 */
export type Dependencies<Name extends string> = {
  available(name: Name): void;
  /** Logs only the first of equal reasons; numbers in them do not count. */
  unavailable(name: Name, error: unknown): void;
  /** Returns a line for each unavailable dependency: `waiting for kafka: connect ECONNREFUSED 127.0.0.1:9092`. */
  problems(): string[];
};

/**
 * The state of all is unknown at first: they count as neither available nor unavailable. `health`, if given, must have
 * the names.
 */
export function createDependencies<Name extends string>(options: {
  readonly logger: Logger;
  readonly health?: Pick<Health, "setServing"> | undefined;
}): Dependencies<Name> {
  const { logger, health } = options;
  /** Sets the reason of each unavailable dependency, and undefined for each available one. */
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

/** A reason that differs only in a number is not a change. */
export function withoutFigures(text: string): string {
  return text.replaceAll(/\d+/g, "#");
}
