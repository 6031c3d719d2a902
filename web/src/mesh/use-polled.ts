import { ConnectError } from "@connectrpc/connect";
import { useEffect, useRef, useState } from "preact/hooks";
import { generation } from "./connection.ts";
import { pause } from "./pause.ts";

/** The result of a polled request. The last result stays while a newer one is pending or has failed. */
export type Polled<Answer> = {
  readonly answer: Answer | undefined;
  readonly problem: ConnectError | undefined;
  readonly isLoading: boolean;
};

/**
 * Sends a request now, every `everyMs` (never if undefined), and at once when `key` changes or the connection is made
 * again. Discards results for an earlier key.
 */
export function usePolled<Answer>(
  key: string,
  everyMs: number | undefined,
  request: (signal: AbortSignal) => Promise<Answer>,
): Polled<Answer> {
  const [state, setState] = useState<Polled<Answer>>({
    answer: undefined,
    problem: undefined,
    isLoading: true,
  });
  const latest = useRef(request);
  latest.current = request;
  const made = generation.value;
  useEffect(() => {
    const ending = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    void follow(ending.signal);
    async function follow(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        const startedMs = performance.now();
        try {
          const answer = await latest.current(signal);
          if (!signal.aborted) setState({ answer, problem: undefined, isLoading: false });
        } catch (error) {
          if (signal.aborted) return;
          setState(({ answer }) => ({ answer, problem: ConnectError.from(error), isLoading: false }));
        }
        if (everyMs === undefined) return;
        // An expensive request takes at most a fifth of the time, of the server and of the page.
        await pause(Math.max(everyMs, 4 * (performance.now() - startedMs)), signal);
      }
    }
    return () => ending.abort();
  }, [key, everyMs, made]);
  return state;
}
