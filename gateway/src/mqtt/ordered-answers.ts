/** Sends answers in the order of their requests, whenever each result is known. */
export type OrderedAnswers = {
  /** Adds a request; `answer` runs once its result is known and every earlier answer has run. */
  add<T>(result: Promise<T>, answer: (result: T) => void): void;
  /** Number of requests without an answer. */
  size(): number;
  /** Resolves when there are none. */
  settled(): Promise<void>;
};

/** Creates an empty queue. The results must not reject. `onAnswer` is called after each answer. */
export function createOrderedAnswers(onAnswer: () => void): OrderedAnswers {
  let last: Promise<void> = Promise.resolve();
  let size = 0;
  return {
    add(result, answer) {
      size += 1;
      last = last.then(async () => {
        const value = await result;
        size -= 1;
        answer(value);
        onAnswer();
      });
    },
    size: () => size,
    settled: () => last,
  };
}
