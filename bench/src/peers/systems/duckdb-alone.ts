import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PeerOptions, StorePeer } from "../peer.ts";
import { diskBytes, watchProcess } from "../processes.ts";
import type { PeerAnswer, PeerQuestion } from "../questions.ts";
import type { BenchReading } from "../readings.ts";

/** What the process of DuckDB is asked over its IPC channel. */
export type DuckdbRequest =
  | { readonly kind: "send"; readonly readings: readonly BenchReading[] }
  | { readonly kind: "settle" }
  | { readonly kind: "ask"; readonly question: PeerQuestion };

/** What it answers, in the order of the requests. */
export type DuckdbAnswer =
  | { readonly kind: "ready"; readonly version: string }
  | { readonly kind: "done" }
  | { readonly kind: "answer"; readonly answer: PeerAnswer }
  | { readonly kind: "failed"; readonly text: string };

/** DuckDB as an embedded database, in a process of its own. */
export async function startDuckdbAlone({ folder }: PeerOptions): Promise<StorePeer> {
  const module = fileURLToPath(new URL("./duckdb-process.ts", import.meta.url));
  const child = fork(module, [join(folder, "readings.duckdb")], { serialization: "advanced" });
  const waiting: ((answer: DuckdbAnswer) => void)[] = [];
  child.on("message", (answer: DuckdbAnswer) => waiting.shift()?.(answer));
  child.once("exit", (code) => {
    for (const resolve of waiting) resolve({ kind: "failed", text: `DuckDB ended with code ${code}` });
  });
  function next(): Promise<DuckdbAnswer> {
    return new Promise((resolve) => waiting.push(resolve));
  }
  async function call(request: DuckdbRequest): Promise<DuckdbAnswer> {
    const answer = next();
    child.send(request);
    return checked(await answer);
  }
  const ready = checked(await next());
  return {
    version: `DuckDB ${ready.kind === "ready" ? ready.version : ""}`,
    settings:
      "memory_limit 2 GB; primary key (device, sensor, time); an appender and INSERT OR IGNORE, one transaction a request",
    durable: true,
    batchSize: 10_000,
    async send(readings) {
      await call({ kind: "send", readings });
    },
    async settle() {
      await call({ kind: "settle" });
    },
    async ask(question) {
      const answer = await call({ kind: "ask", question });
      if (answer.kind !== "answer") throw new Error(`DuckDB returned ${answer.kind}`);
      return answer.answer;
    },
    ...watchProcess(child.pid!),
    diskBytes: () => diskBytes(folder),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

function checked(answer: DuckdbAnswer): DuckdbAnswer {
  if (answer.kind === "failed") throw new Error(answer.text);
  return answer;
}
