import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { peerOfRequest } from "@devicemesh/kit/rpc/connect-handler";
import type { UnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { openRequestBody, releaseWhenAnswered } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import type { OnePortRequest, OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import { HttpProblem } from "./http-problem.ts";

/** Reads whole bodies, with a limit for each body and one for all bodies together. */
export type BodyReader = {
  /**
   * Returns the body as text, and `free` to call when it is no longer needed.
   * @throws HttpProblem 413 if it is too large, 415 for an encoding other than gzip, 400 if it is not gzip or UTF-8,
   *   408 if the client is too slow, 503 if all bodies together are too large.
   */
  read(request: OnePortRequest, response: OnePortResponse): Promise<{ readonly text: string; free(): void }>;
};

/**
 * Creates a reader of bodies of at most `bytesMax` bytes after decompression, and of at most `allBytesMax` at a time.
 */
export function createBodyReader({
  bytesMax,
  allBytesMax,
  retryAfterMs,
  unfinished,
}: {
  readonly bytesMax: number;
  readonly allBytesMax: number;
  readonly retryAfterMs: number;
  readonly unfinished: UnfinishedRequests;
}): BodyReader {
  let buffered = 0;

  return {
    async read(request, response) {
      const isGzip = isCompressed(request.headers["content-encoding"]);
      const facts = { peer: peerOfRequest(request), isStream: false };
      const body = openRequestBody(request, { unfinished, facts });
      response.once("close", body.end);
      releaseWhenAnswered(request, response);
      let bytes = 0;
      const free = (): void => {
        buffered -= bytes;
        bytes = 0;
      };
      try {
        const chunks: Uint8Array[] = [];
        for await (const chunk of isGzip ? gunzipped(body.bytes) : body.bytes) {
          bytes += chunk.length;
          buffered += chunk.length;
          if (bytes > bytesMax) throw tooLarge(bytesMax);
          if (buffered > allBytesMax) {
            throw new HttpProblem(503, "the gateway reads too many requests at once: try again", {
              retryAfterMs,
            });
          }
          chunks.push(chunk);
        }
        return { text: decoded(Buffer.concat(chunks)), free };
      } catch (error) {
        free();
        throw translated(error, retryAfterMs);
      }
    },
  };
}

/** Translates kit's errors for a slow or disconnected client, and for a process that holds too much, to HTTP. */
function translated(error: unknown, retryAfterMs: number): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.code === Code.ResourceExhausted) return new HttpProblem(503, error.rawMessage, { retryAfterMs });
  return new HttpProblem(error.code === Code.DeadlineExceeded ? 408 : 400, error.rawMessage);
}

function isCompressed(encoding: string | undefined): boolean {
  if (encoding === undefined || encoding === "" || encoding === "identity") return false;
  if (/^(x-)?gzip$/i.test(encoding)) return true;
  throw new HttpProblem(
    415,
    `content-encoding ${JSON.stringify(encoding.slice(0, 40))} is not supported: use gzip`,
  );
}

async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = Readable.from(bytes);
  const gunzip = createGunzip();
  // The source's error must be reported; pipe would not pass it on.
  source.once("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) {
      throw new HttpProblem(400, `the body is not gzip: ${error.message}`);
    }
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "the body is not UTF-8");
  }
}

function tooLarge(bytesMax: number): HttpProblem {
  return new HttpProblem(413, `the body is larger than ${bytesMax} bytes: send it in parts`);
}
