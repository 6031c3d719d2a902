import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

/** What the worker asks for: a connection to that port of the board, bytes to send, or a number of bytes to receive. */
export type BoardRequest =
  | { readonly kind: "connect" }
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  | { readonly kind: "receive"; readonly count: number }
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "end"; readonly error: string | undefined };

/** The memory in which the worker waits: a signal, and the number of bytes behind it. */
export const headerInts = 2;

/**
 * For tests: runs a program under MicroPython's port to WebAssembly, and returns its output. Its sockets are connected to
 * this address, whatever it names; `sleep` ends it. Throws what the program raises.
 */
export async function runMicroPython(
  program: string,
  { runtime, host, port }: { readonly runtime: string; readonly host: string; readonly port: number },
): Promise<string> {
  const shared = new SharedArrayBuffer(headerInts * 4 + 65_536);
  const header = new Int32Array(shared, 0, headerInts);
  const worker = new Worker(new URL("./micropython-worker.ts", import.meta.url), {
    workerData: { program, runtime, shared },
  });
  let socket: Socket | undefined;
  let output = "";

  function answer(bytes: Uint8Array): void {
    new Uint8Array(shared, headerInts * 4).set(bytes);
    header[1] = bytes.length;
    Atomics.store(header, 0, 1);
    Atomics.notify(header, 0);
  }

  async function receive(count: number): Promise<Uint8Array> {
    for (;;) {
      const bytes: Buffer | null = socket!.read(count);
      if (bytes !== null) return bytes;
      if (socket!.readableEnded) return new Uint8Array();
      await Promise.race([once(socket!, "readable"), once(socket!, "end")]);
    }
  }

  async function serve(request: BoardRequest): Promise<void> {
    if (request.kind === "connect") {
      socket = connect(port, host);
      await once(socket, "connect");
      answer(new Uint8Array());
    } else if (request.kind === "send") {
      socket!.write(request.bytes);
      answer(new Uint8Array());
    } else if (request.kind === "receive") answer(await receive(request.count));
    else if (request.kind === "print") output += `${request.text}\n`;
  }

  try {
    const failed = once(worker, "error").then(([error]) => Promise.reject(error as Error));
    const ended = new Promise<string | undefined>((resolve, reject) => {
      worker.on("message", (request: BoardRequest) => {
        if (request.kind === "end") resolve(request.error);
        else serve(request).catch(reject);
      });
    });
    const error = await Promise.race([ended, failed]);
    if (error !== undefined) throw new Error(`${error}\n${output}`);
    return output;
  } finally {
    socket?.destroy();
    await worker.terminate();
  }
}
