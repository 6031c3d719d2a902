import type { Logger } from "@devicemesh/kit/observability/logger";
import { followFile } from "../watched-file.ts";
import { createDenyList, type DenyList, parseDenyList } from "./deny-list.ts";

/** The current entries, and the entries from the next poll on if the file does not change until then. */
type Known = { readonly entries: ReadonlySet<string>; readonly next: ReadonlySet<string> };

/** Number of removed entries that a log line names. */
const namedMax = 20;

/**
 * A deny list in a file that may change. Added entries are revoked at once. Removed entries are lifted only when the
 * file has not changed between two polls, so that a file that is being written lifts nothing, and each is logged. A
 * file without any entry lifts nothing unless it contains `none`: an empty or truncated file is usually a mistake. An
 * unreadable or malformed file lifts nothing either.
 * @throws Error at first if the file is unreadable or has a malformed line.
 */
export function openDenyListFile({
  path,
  logger,
  intervalMs,
}: {
  readonly path: string;
  readonly logger: Logger;
  /** How often the file is polled, in ms; 1000 by default. */
  readonly intervalMs?: number | undefined;
}): DenyList & Disposable {
  const onProblem = (error: unknown) =>
    logger.error({ error, path }, "the deny list could not be read; the last valid one stays in force");

  function parse(text: string, before: Known | undefined): Known {
    const { entries, problems, isNone } = parseDenyList(text);
    if (problems.length > 0) {
      const error = new Error(`not understood: ${problems.slice(0, 5).join("; ")}`);
      if (before === undefined) throw error;
      // Readable entries are revoked, and nothing is lifted until the file is valid again.
      onProblem(error);
    }
    if (before === undefined) return { entries, next: entries };
    const all = new Set([...before.entries, ...entries]);
    const isEmptied = entries.size === 0 && !isNone && before.entries.size > 0;
    if (isEmptied) {
      logger.error(
        { path, entries: before.entries.size },
        "the deny list is empty: earlier entries stay in force; write a line `none` to remove them",
      );
    }
    return { entries: all, next: isEmptied || problems.length > 0 ? all : entries };
  }

  function settle({ entries, next }: Known): Known {
    const left = [...entries].filter((entry) => !next.has(entry));
    if (left.length > 0) {
      logger.warn(
        { path, lifted: left.slice(0, namedMax), liftedCount: left.length },
        "entries were removed from the deny list and are no longer revoked",
      );
    }
    return { entries: next, next };
  }

  const file = followFile({
    path,
    parse,
    settle,
    onProblem,
    ...(intervalMs === undefined ? {} : { intervalMs }),
  });
  return {
    ...createDenyList(() => file.current.entries),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
