/** A server that accepts calls. Also held with `await using`. */
export type RunningServer = AsyncDisposable & {
  /** The port it listens on: the given one, or the one that the system chose for 0. */
  readonly port: number;
  /**
   * Takes no new calls, lets the running ones finish within the grace, then cuts them. Resolves when the
   * port is free. Calling it again gives the same promise.
   */
  close(): Promise<void>;
  /** Rejects if it cannot go on, with why; a server that always can has none. It is still to be closed then. */
  readonly failed?: Promise<never> | undefined;
};

/** Makes a RunningServer from a way to close it, which is called at most once. */
export function createRunningServer(port: number, closeOnce: () => Promise<void>): RunningServer {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeOnce();
    return closing;
  };
  return { port, close, [Symbol.asyncDispose]: close };
}
