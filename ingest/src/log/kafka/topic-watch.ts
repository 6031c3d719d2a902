import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";

/** Asks for a topic's state again and again. */
export type TopicWatch = {
  /** Resolves when nothing is asked any more. */
  stop(): Promise<void>;
};

/** How often is asked: seldom while all is well, often while it is not. */
export type WatchIntervals = { readonly wellMs: number; readonly failingMs: number };

/** Begins at once. The listener is told of each state or error, and says whether all is well. */
export function watchTopic(options: {
  readonly topic: PartitionedTopic;
  readonly intervals: WatchIntervals;
  readonly onState: (state: TopicState) => void;
  readonly onFailure: (error: unknown) => void;
  readonly isWell: () => boolean;
}): TopicWatch {
  const { topic, intervals, onState, onFailure, isWell } = options;
  let stopped = false;
  let endPause: (() => void) | undefined;

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endPause = resolve;
    await promise;
    clearTimeout(timer);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        const state = await topic.describe();
        if (!stopped) onState(state);
      } catch (error) {
        if (!stopped) onFailure(error);
      }
      if (!stopped) await pause(isWell() ? intervals.wellMs : intervals.failingMs);
    }
  }

  const ended = run();
  return {
    stop() {
      stopped = true;
      endPause?.();
      return ended;
    },
  };
}
