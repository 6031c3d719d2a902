import { connect } from "node:net";

/** Whether a server accepts connections, as last seen. */
export type PortWatch = Disposable & {
  /** Undefined before the first attempt has ended. */
  isReachable(): boolean | undefined;
};

/** Connects to a server again and again and closes each connection at once, until it is disposed. */
export function watchPort(options: {
  readonly host: string;
  readonly port: number;
  /** Between the end of an attempt and the next, in ms. */
  readonly everyMs: number;
  /** How long a connection may take, in ms. */
  readonly connectMs: number;
}): PortWatch {
  const { host, port, everyMs, connectMs } = options;
  let reachable: boolean | undefined;
  let timer: NodeJS.Timeout | undefined;
  let socket: ReturnType<typeof connect> | undefined;

  function attempt(): void {
    socket = connect({ host, port, timeout: connectMs });
    socket.once("connect", () => ended(true));
    socket.once("timeout", () => ended(false));
    socket.once("error", () => ended(false));
  }
  function ended(outcome: boolean): void {
    stop();
    reachable = outcome;
    timer = setTimeout(attempt, everyMs);
  }
  function stop(): void {
    clearTimeout(timer);
    // What comes after the outcome, such as an error of a connection that took too long, is of no interest.
    socket?.removeAllListeners().on("error", () => {});
    socket?.destroy();
  }
  attempt();
  return { isReachable: () => reachable, [Symbol.dispose]: stop };
}
