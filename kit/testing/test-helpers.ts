import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Short, because most conditions read memory only. */
const defaultEveryMs = 5;

/**
 * Resolves as soon as the condition is true; polls every few milliseconds, or every `everyMs` if polling is expensive.
 * For tests, instead of a sleep.
 * @throws Error naming `what` if it is still false after `timeoutMs` (default 30,000: a busy machine may take seconds); an error of the
 * condition is passed on.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number; readonly what?: string } = {},
): Promise<void> {
  const { timeoutMs = 30_000, everyMs = defaultEveryMs, what = "the condition" } = options;
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() >= deadlineMs) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`);
    }
    await delay(everyMs);
  }
}

/** A folder for a test, removed when disposed. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "devicemesh-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
