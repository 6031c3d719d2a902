import { connect } from "node:net";
import { answerBytesMax } from "../limits.ts";

/**
 * Sends bytes to a port and resolves with the first complete response.
 * @throws Error if the port is closed, the connection ends early, or it takes longer than `limitMs`.
 */
export function exchange(options: {
  readonly host: string;
  readonly port: number;
  readonly request: Buffer;
  /** Returns the length of the response, once its first bytes have arrived. */
  readonly answerBytes: (begun: Buffer) => number | undefined;
  readonly limitMs: number;
}): Promise<Buffer> {
  const { host, port, request, answerBytes, limitMs } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(limitMs, () => fail(new Error(`no answer from ${host}:${port} in ${limitMs} ms`)));
    socket.once("error", fail);
    socket.once("close", () => fail(new Error(`${host}:${port} closed the connection`)));
    socket.once("connect", () => socket.write(request));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const wanted = answerBytes(received);
      if (wanted !== undefined && wanted > answerBytesMax) fail(new Error(`no answer from ${host}:${port}`));
      if (wanted === undefined || received.length < wanted) return;
      socket.destroy();
      resolve(received.subarray(0, wanted));
    });
  });
}
