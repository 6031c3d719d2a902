import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** A file whose contents are known, and read again soon after they change. */
export type FollowedFile<T> = Disposable & {
  /** Its contents, as of the last poll. */
  readonly current: T;
};

/**
 * Reads a file, and polls every `intervalMs` (1 s by default) whether it has changed: network and container mounts do
 * not send notifications. `parse` gets what was known before, and may throw; then, and when the file is gone, what was
 * known stays, and `onProblem` is called once for each change. `settle` gets what `parse` returned at the first poll
 * that finds the file as the poll before found it, and returns what is known from then on.
 * @throws what reading or parsing throws at first.
 */
export function followFile<T>({
  path,
  parse,
  settle = (value) => value,
  onProblem,
  intervalMs = 1000,
}: {
  readonly path: string;
  readonly parse: (text: string, before: T | undefined) => T;
  readonly settle?: (value: T) => T;
  readonly onProblem: (error: unknown) => void;
  readonly intervalMs?: number;
}): FollowedFile<T> {
  let current = parse(readFileSync(path, "utf8"), undefined);
  // Unknown at first: a change between the first read and the first poll is seen by the first poll.
  let seen = "";
  let isSettled = false;
  let looking = false;

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    let now = "gone";
    try {
      // Before the text: what changes between the two is seen at the next poll.
      const { mtimeNs, size, ino } = await stat(path, { bigint: true });
      now = `${mtimeNs} ${size} ${ino}`;
      if (now !== seen) {
        isSettled = false;
        current = parse(await readFile(path, "utf8"), current);
      } else if (!isSettled) {
        isSettled = true;
        current = settle(current);
      }
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
