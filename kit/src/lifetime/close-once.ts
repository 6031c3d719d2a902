/** A close function that may be called any number of times. */
export type CloseOnce<Args extends readonly unknown[], Result> = ((...args: Args) => Promise<Result>) & {
  /** Whether it has been called. */
  readonly isClosing: boolean;
};

/**
 * Makes closing repeatable: the first call runs `close`, and each later one returns the same promise, also if that
 * rejects; its arguments are ignored.
 */
export function closeOnce<Args extends readonly unknown[], Result>(
  close: (...args: Args) => Promise<Result>,
): CloseOnce<Args, Result> {
  let closing: Promise<Result> | undefined;
  const closeOrJoin = (...args: Args): Promise<Result> => {
    closing ??= close(...args);
    closeOnlyOnce.isClosing = true;
    return closing;
  };
  const closeOnlyOnce = Object.assign(closeOrJoin, { isClosing: false });
  return closeOnlyOnce;
}
