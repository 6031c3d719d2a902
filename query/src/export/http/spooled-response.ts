import type { OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import { type RangeRequest, rangeOf } from "./byte-range.ts";
import { sendBytes } from "./export-response.ts";
import type { SpooledExport } from "./export-spool.ts";

/** Number of bytes of one read of a file. */
const readBytes = 256 * 1024;

/**
 * Responds to a request for a range of a spooled export, or for its size: 206, 416 or, without a range, 200 and no
 * body.
 */
export async function sendSpooled(
  response: OnePortResponse,
  file: SpooledExport,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly range: RangeRequest | undefined;
    readonly isHead: boolean;
    readonly stallMs: number;
  },
): Promise<void> {
  const { headers, range, isHead, stallMs } = options;
  const { size, etag } = file;
  const part = range === undefined ? { start: 0, length: size } : rangeOf(range, size);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("etag", etag);
  response.setHeader("accept-ranges", "bytes");
  response.statusCode = range === undefined ? 200 : part === undefined ? 416 : 206;
  if (part === undefined) response.setHeader("content-range", `bytes */${size}`);
  else if (range) {
    const { start, length } = part;
    response.setHeader("content-range", `bytes ${start}-${start + length - 1}/${size}`);
  }
  const { start, length } = part ?? { start: 0, length: 0 };
  response.setHeader("content-length", `${length}`);
  if (!isHead) {
    for (let sent = 0; sent < length; sent += readBytes) {
      await sendBytes(response, await file.read(start + sent, Math.min(readBytes, length - sent)), stallMs);
    }
  }
  response.end();
}
