import { fork } from "node:child_process";
import { once } from "node:events";

/** The options of the devices. */
export type StreamsSettings = {
  readonly port: number;
  readonly devices: number;
  /** They share these, as behind a proxy. */
  readonly connections: number;
  /** The second (since 1970) of the first readings. */
  readonly startSeconds: number;
};

/** The requests to the process of the devices, and its responses. */
export type StreamsRequest =
  | { readonly kind: "open"; readonly settings: StreamsSettings }
  | { readonly kind: "take" }
  | { readonly kind: "end" };
export type StreamsAnswer =
  | { readonly kind: "opened" }
  | { readonly kind: "taken"; readonly latenciesMs: readonly number[] }
  | { readonly kind: "ended"; readonly acknowledged: number; readonly unanswered: number }
  | { readonly kind: "failed"; readonly text: string };

/** Devices that send a reading a second each, over a stream each, in a separate process. */
export type DeviceStreams = AsyncDisposable & {
  /**
   * Returns how long each reading took that was acknowledged since the last call, in ms from when it was due. Rejects
   * if a stream has failed.
   */
  takeLatencies(): Promise<readonly number[]>;
  /** Waits for the readings in flight and closes the connections; resolves to the number of acknowledged readings. */
  end(): Promise<{ readonly acknowledged: number; readonly unanswered: number }>;
};

/** Opens the streams and begins to send. */
export async function openDeviceStreams(settings: StreamsSettings): Promise<DeviceStreams> {
  const child = fork(new URL("./streams-process.ts", import.meta.url), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(child, "exit");

  async function ask<Kind extends StreamsAnswer["kind"]>(
    request: StreamsRequest,
    kind: Kind,
  ): Promise<Extract<StreamsAnswer, { kind: Kind }>> {
    const answered = once(child, "message");
    child.send(request);
    const [answer] = (await Promise.race([
      answered,
      exited.then(([code]) => {
        throw new Error(`the process of the devices ended with code ${code}`);
      }),
    ])) as [StreamsAnswer];
    if (answer.kind === "failed") throw new Error(answer.text);
    if (answer.kind !== kind) throw new Error(`the devices answered ${answer.kind}`);
    return answer as Extract<StreamsAnswer, { kind: Kind }>;
  }
  async function close(): Promise<void> {
    if (child.connected) child.disconnect();
    await exited;
  }

  try {
    await ask({ kind: "open", settings }, "opened");
    return {
      takeLatencies: async () => (await ask({ kind: "take" }, "taken")).latenciesMs,
      end: () => ask({ kind: "end" }, "ended"),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
