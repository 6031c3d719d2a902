import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** A file whose contents are kept in memory, and read again soon after they change. */
export type FollowedFile<T> = Disposable & {
  /** Returns its contents, as of the last poll. */
  readonly current: T;
};

/**
 * Reads a file, and polls every `intervalMs` (1 s by default) for changes, because network and container mounts send no
 * notifications. `parse` receives the previous contents and may throw; then, and when the file is missing, the previous
 * contents stay, and `onProblem` is called once for each change. `settle` receives the result of `parse` at the first
 * poll that finds the file unchanged since the previous poll, and returns the contents from then on.
 * @throws the error of the first read or parse.
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
  // Unknown at first: the first poll detects a change between the first read and itself.
  let seen = "";
  let isSettled = false;
  let isPolling = false;

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    let now = "gone";
    try {
      // Read before the text: the next poll detects a change between the two.
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
      isPolling = false;
    }
  }

  const timer = setInterval(() => void poll(), intervalMs);
  timer.unref();
  return {
    get current() {
      return current;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
