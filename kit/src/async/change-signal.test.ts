import { expect, it } from "vitest";
import { createChangeSignal } from "./change-signal.ts";

it("merges many changes into one, and ignores those before the watch", async () => {
  const changes = createChangeSignal();
  const stop = new AbortController();
  changes.notify();
  const watch = changes.watch(stop.signal)[Symbol.asyncIterator]();
  changes.notify();
  changes.notify();
  expect(await watch.next()).toEqual({ value: undefined, done: false });
  const second = watch.next();
  changes.notify();
  expect(await second).toEqual({ value: undefined, done: false });
  stop.abort();
  expect(await watch.next()).toEqual({ value: undefined, done: true });
});

it("ends a waiting watcher when its signal aborts, and all when it is closed", async () => {
  const changes = createChangeSignal();
  const stop = new AbortController();
  const [first, second] = [
    changes.watch(stop.signal)[Symbol.asyncIterator]().next(),
    changes.watch(new AbortController().signal)[Symbol.asyncIterator]().next(),
  ];
  stop.abort();
  expect((await first).done).toBe(true);
  changes.close();
  expect((await second).done).toBe(true);
});
