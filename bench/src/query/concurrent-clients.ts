import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { cpuMs } from "../report/process-usage.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { askTimed } from "./ask-timed.ts";
import type { Question } from "./query-questions.ts";

/** The answers of a burst. */
export type Burst = {
  readonly answers: number;
  readonly wallMs: number;
  /** CPU time of the server, all its threads. */
  readonly cpuMs: number;
};

/** Number of clients, each with a connection of its own and one question at a time. */
export const burstClients = 16;

/** Sends these questions from all clients at once, and measures the CPU of the server. */
export async function runBurst(
  { port, pid }: Pick<ServerProcess, "port" | "pid">,
  questions: readonly Question[],
): Promise<Burst> {
  const clients = Array.from({ length: burstClients }, () =>
    createClient(QueryService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` })),
  );
  let next = 0;
  const cpuBefore = cpuMs(pid);
  const startMs = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let question = questions[next++]; question; question = questions[next++]) {
        await askTimed(client, question);
      }
    }),
  );
  return {
    answers: questions.length,
    wallMs: performance.now() - startMs,
    cpuMs: cpuMs(pid) - cpuBefore,
  };
}
