import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** The work of a load process. */
export type Load = {
  /**
   * Sends at full speed for `ms`, then waits for requests in flight. Resolves to the number of acknowledged readings.
   */
  run(ms: number): Promise<number>;
  close(): void;
};

type Request =
  | { readonly kind: "open"; readonly settings: unknown }
  | { readonly kind: "run"; readonly ms: number };
type Answer =
  | { readonly kind: "opened" }
  | { readonly kind: "ran"; readonly readings: number }
  | { readonly kind: "failed"; readonly text: string };

/** In a load process: serves the parent until it ends. `open` is called once, with the parent's settings. */
export function serveLoad<Settings>(open: (settings: Settings) => Load): void {
  let load: Load | undefined;
  async function answer(request: Request): Promise<Answer> {
    if (request.kind === "open") {
      load = open(request.settings as Settings);
      return { kind: "opened" };
    }
    if (!load) throw new Error("run before open");
    return { kind: "ran", readings: await load.run(request.ms) };
  }
  process.on("message", (request: Request) => {
    answer(request)
      .catch((error: unknown): Answer => ({ kind: "failed", text: String(error) }))
      .then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => {
    load?.close();
    process.exit();
  });
}

/** Starts a load process from its module, so that the load does not use the server's process. */
export async function startLoad(module: URL, settings: unknown): Promise<Load> {
  const child = fork(module, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await ask(child, { kind: "open", settings });
  return {
    async run(ms) {
      const answer = await ask(child, { kind: "run", ms });
      if (answer.kind !== "ran") throw new Error(`the load answered ${answer.kind}`);
      return answer.readings;
    },
    close() {
      if (child.connected) child.disconnect();
    },
  };
}

async function ask(child: ChildProcess, request: Request): Promise<Answer> {
  child.send(request);
  const gone = new AbortController();
  const exited = once(child, "exit", { signal: gone.signal }).then(([code]) => {
    throw new Error(`the load ended with code ${code}`);
  });
  exited.catch(() => {});
  const [answer] = (await Promise.race([once(child, "message"), exited])) as [Answer];
  gone.abort();
  if (answer.kind === "failed") throw new Error(answer.text);
  return answer;
}
