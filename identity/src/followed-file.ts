import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** A file whose contents are known, and known anew soon after they change. */
export type FollowedFile<T> = Disposable & {
  /** What it says, as of the last look. */
  readonly current: T;
};

/**
 * Reads a file, and looks every `intervalMs` (1 s by default) whether it has changed: by asking and not by
 * notification, which mounts of networks and containers do not give. `parse` gets what was known before, and
 * may throw; then, and when the file is gone, what was known stays, and `onProblem` is told once for each
 * change.
 * @throws what reading or parsing throws at first.
 */
export function followFile<T>({
  path,
  parse,
  onProblem,
  intervalMs = 1000,
}: {
  readonly path: string;
  readonly parse: (text: string, before: T | undefined) => T;
  readonly onProblem: (error: unknown) => void;
  readonly intervalMs?: number;
}): FollowedFile<T> {
  let current = parse(readFileSync(path, "utf8"), undefined);
  // Unknown at first: a change between the first read and the first look is seen by the first look.
  let seen = "";
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    let now = "gone";
    try {
      // Before the text: what changes between the two is seen at the next look.
      const { mtimeNs, size, ino } = await stat(path, { bigint: true });
      now = `${mtimeNs} ${size} ${ino}`;
      if (now !== seen) current = parse(await readFile(path, "utf8"), current);
    } catch (error) {
      if (now !== seen) onProblem(error);
    } finally {
      seen = now;
      looking = false;
    }
  }

  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
