import { request as requestCleartext } from "node:http";
import { request as requestTls } from "node:https";
import type { ProbeResult } from "./probe.ts";

/**
 * Sends a GET over HTTP/1.1 to a server without gRPC. Never rejects: any error is a reason, and so is any status except
 * 2xx.
 */
export async function probeHttp(options: {
  /** HOST:PORT; with `ca`, HOST must be a name of the server's certificate. */
  readonly address: string;
  readonly path: string;
  /** The authority (PEM) of the server's certificate; cleartext without it. */
  readonly ca?: Buffer | undefined;
  readonly timeoutMs: number;
}): Promise<ProbeResult> {
  const { address, path, ca, timeoutMs } = options;
  const url = `${ca === undefined ? "http" : "https"}://${address}${path}`;
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const notServing = (reason: string): void => resolve({ kind: "not-serving", reason: `${url}: ${reason}` });
  const request = (ca === undefined ? requestCleartext : requestTls)(url, {
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    ...(ca !== undefined && { ca }),
  });
  request.once("response", (response) => {
    response.resume();
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) resolve({ kind: "serving" });
    else notServing(`status ${statusCode}`);
  });
  request.once("error", (error) =>
    notServing(error.name === "AbortError" ? `no answer in ${timeoutMs} ms` : error.message),
  );
  request.end();
  const result = await promise;
  request.destroy();
  return result;
}
