import { Code, ConnectError } from "@connectrpc/connect";
import type { PipelineStatus } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import { signal } from "@preact/signals";
import { query } from "./clients.ts";
import { pause } from "./pause.ts";

/** Whether the mesh is available, from polls of the status. Times are in ms since 1970 by the browser's clock. */
export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "up"; readonly status: PipelineStatus }
  | { readonly kind: "lost"; readonly sinceMs: number; readonly problem: ConnectError }
  | { readonly kind: "denied"; readonly problem: ConnectError };

export const connection = signal<Connection>({ kind: "connecting" });

/** The last status, kept while the connection is lost. */
export const status = signal<PipelineStatus | undefined>(undefined);

/** How long the page was disconnected, for a while after it has reconnected. */
export const reconnected = signal<{ readonly afterMs: number } | undefined>(undefined);

/** Increases with each sign-in and each reconnect: views then request their data again, so that the gap is filled. */
export const generation = signal(0);

/** Readings stored a second, once for each poll, the newest last. */
export const rates = signal<readonly number[]>([]);

const pollMs = 1000;
const retryMs = 500;
const noticeMs = 15_000;
const ratesMax = 120;
const callMs = 5000;

/** Polls the status until the signal aborts. A hidden page requests nothing. */
export async function followStatus(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let answered = true;
    try {
      const { status: found } = await query.getPipelineStatus({}, { signal, timeoutMs: callMs });
      if (found) succeeded(found);
    } catch (error) {
      if (signal.aborted) return;
      answered = false;
      failed(ConnectError.from(error));
    }
    await pause(answered ? pollMs : retryMs, signal);
  }
}

function succeeded(found: PipelineStatus): void {
  const before = connection.peek();
  status.value = found;
  rates.value = [...rates.peek(), found.storedPerSecond].slice(-ratesMax);
  connection.value = { kind: "up", status: found };
  if (before.kind === "denied") generation.value++;
  if (before.kind !== "lost") return;
  const notice = { afterMs: Date.now() - before.sinceMs };
  reconnected.value = notice;
  generation.value++;
  setTimeout(() => {
    if (reconnected.peek() === notice) reconnected.value = undefined;
  }, noticeMs);
}

function failed(problem: ConnectError): void {
  if (isDenied(problem)) {
    connection.value = { kind: "denied", problem };
    return;
  }
  const before = connection.peek();
  reconnected.value = undefined;
  connection.value = { kind: "lost", sinceMs: before.kind === "lost" ? before.sinceMs : Date.now(), problem };
}

/** Whether another token would help. */
export function isDenied({ code }: ConnectError): boolean {
  return code === Code.Unauthenticated || code === Code.PermissionDenied;
}
