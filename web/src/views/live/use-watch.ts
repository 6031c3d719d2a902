import { ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "preact/hooks";
import { query } from "../../mesh/clients.ts";
import { generation, isDenied } from "../../mesh/connection.ts";
import { pause } from "../../mesh/pause.ts";
import { nothingWatched, type Watched, withMessage } from "../../mesh/watch.ts";
import type { Question } from "../explore/question.ts";

const retryMs = 1000;

/** Watches the last buckets of a query, and opens the stream again when it ends. */
export function useWatch(
  question: Question | undefined,
  { bucketSeconds, bucketsMax }: { readonly bucketSeconds: number; readonly bucketsMax: number },
): { readonly watched: Watched; readonly problem: ConnectError | undefined } {
  const [watched, setWatched] = useState(nothingWatched);
  const [problem, setProblem] = useState<ConnectError | undefined>(undefined);
  const made = generation.value;
  const key = JSON.stringify([question, bucketSeconds, bucketsMax, made]);
  useEffect(() => {
    const ending = new AbortController();
    setWatched(nothingWatched);
    setProblem(undefined);
    if (question) void follow(question, ending.signal);
    return () => ending.abort();
  }, [key]);

  async function follow({ deviceIds, sensors, groupBy }: Question, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const request = {
          ...{ deviceIds: [...deviceIds], sensors: [...sensors], groupBy, lastBuckets: bucketsMax },
          bucket: { seconds: BigInt(bucketSeconds) },
        };
        for await (const message of query.watchAggregates(request, { signal })) {
          setProblem(undefined);
          setWatched((before) => withMessage(before, message, { bucketsMax, seenMs: Date.now() }));
        }
      } catch (error) {
        if (signal.aborted) return;
        const found = ConnectError.from(error);
        setProblem(found);
        // A new token changes `generation`, and therefore opens a new stream.
        if (isDenied(found)) return;
      }
      await pause(retryMs, signal);
    }
  }
  return { watched, problem };
}
