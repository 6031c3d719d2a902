import { closeOnce } from "../lifetime/close-once.ts";
/** A server that accepts calls. Also held with `await using`. */
export type RunningServer = AsyncDisposable & {
  /** The port that it listens on: the given one, or the one that the system chose for 0. */
  readonly port: number;
  /**
   * Accepts no new calls, lets running ones finish within the grace period, then cuts them. Resolves when the port is
   * free. Calling it again returns the same promise.
   */
  close(): Promise<void>;
  /**
   * Rejects with the reason if the server cannot continue; absent for a server that always can. It must still be closed
   * then.
   */
  readonly failed?: Promise<never> | undefined;
};

/** Creates a RunningServer from its close function, which is called at most once. */
export function createRunningServer(port: number, shutDown: () => Promise<void>): RunningServer {
  const close = closeOnce(shutDown);
  return { port, close, [Symbol.asyncDispose]: close };
}
