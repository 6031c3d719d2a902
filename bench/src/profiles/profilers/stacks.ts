/**
 * Calls in which a profiler has found a thread: the outermost frame first. A frame is the name of a function and where
 * it is, as one text.
 */
export type Stack = {
  readonly frames: readonly string[];
  /** Number of samples, or their time: only the shares count. */
  readonly weight: number;
};

/** A share of all stacks. */
export type Share = {
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
};

/** Returns the sum of the weights. */
export function weightOf(stacks: readonly Stack[]): number {
  return stacks.reduce((sum, { weight }) => sum + weight, 0);
}

/** Returns the shares of the stacks by a name for each, the largest first. */
export function sharesBy(stacks: readonly Stack[], nameOf: (stack: Stack) => string): Share[] {
  const weights = new Map<string, number>();
  for (const stack of stacks) {
    const name = nameOf(stack);
    weights.set(name, (weights.get(name) ?? 0) + stack.weight);
  }
  const total = weightOf(stacks);
  return [...weights]
    .map(([name, weight]) => ({ name, share: weight / total }))
    .sort((one, other) => other.share - one.share);
}

/** Returns the shares of self time of the functions, the largest first. */
export function hottest(stacks: readonly Stack[], count: number): Share[] {
  return sharesBy(stacks, ({ frames }) => frames.at(-1) ?? "").slice(0, count);
}
