import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";

/** Polls a topic's state. */
export type TopicWatch = {
  /** Resolves when the last poll has ended. */
  stop(): Promise<void>;
};

/** The intervals of polls: long while the topic is healthy, short otherwise. */
export type WatchIntervals = { readonly healthyMs: number; readonly failingMs: number };

/** Begins at once. The listener receives each state or error, and returns whether the topic is healthy. */
export function watchTopic(options: {
  readonly topic: PartitionedTopic;
  readonly intervals: WatchIntervals;
  readonly onState: (state: TopicState) => void;
  readonly onFailure: (error: unknown) => void;
  readonly isHealthy: () => boolean;
}): TopicWatch {
  const { topic, intervals, onState, onFailure, isHealthy } = options;
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
      if (!stopped) await pause(isHealthy() ? intervals.healthyMs : intervals.failingMs);
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
