import { fork } from "node:child_process";
import { once } from "node:events";

/** The options of the watches. */
export type WatchersSettings = {
  readonly port: number;
  readonly watchers: number;
  /** Messages of WatchAggregatesRequest, base64; the watchers use them in turn. */
  readonly questions: readonly string[];
};

/** The messages that the watchers received in a period. */
export type WatchersSample = {
  /** Messages of each watcher. */
  readonly messages: readonly number[];
  /** The longest time of each watcher without a message, in ms, over the whole period. */
  readonly longestGapsMs: readonly number[];
};

/** The requests to the process of the watchers, and its responses. */
export type WatchersRequest =
  | { readonly kind: "open"; readonly settings: WatchersSettings }
  | { readonly kind: "sample"; readonly ms: number };
export type WatchersAnswer =
  | { readonly kind: "opened"; readonly firstMs: readonly number[] }
  | { readonly kind: "sampled"; readonly sample: WatchersSample }
  | { readonly kind: "failed"; readonly text: string };

/** Open watches, in a separate process. */
export type Watchers = AsyncDisposable & {
  /** How long each watcher waited for its first message, in ms. */
  readonly firstMs: readonly number[];
  /** Counts for this time. Rejects if a watch has ended. */
  sample(ms: number): Promise<WatchersSample>;
};

/** Opens watches; resolves when each of them has its first message. Rejects if one fails. */
export async function openWatchers(settings: WatchersSettings): Promise<Watchers> {
  const child = fork(new URL("./watchers-process.ts", import.meta.url), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(child, "exit");

  async function ask(request: WatchersRequest): Promise<Exclude<WatchersAnswer, { kind: "failed" }>> {
    const answered = once(child, "message");
    child.send(request);
    const [answer] = (await Promise.race([
      answered,
      exited.then(([code]) => {
        throw new Error(`the process of the watchers ended with code ${code}`);
      }),
    ])) as [WatchersAnswer];
    if (answer.kind === "failed") throw new Error(answer.text);
    return answer;
  }
  async function close(): Promise<void> {
    if (child.connected) child.disconnect();
    await exited;
  }

  try {
    const opened = await ask({ kind: "open", settings });
    if (opened.kind !== "opened") throw new Error(`the watchers answered ${opened.kind}`);
    return {
      firstMs: opened.firstMs,
      async sample(ms) {
        const answer = await ask({ kind: "sample", ms });
        if (answer.kind !== "sampled") throw new Error(`the watchers answered ${answer.kind}`);
        return answer.sample;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
