import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { isAbandoned } from "@devicemesh/kit/server/http-errors";
import type { OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import type { ExportRows } from "../formats/export-table.ts";
import type { ExportEnd, TableWriter } from "../formats/table-writer.ts";

/** The trailer (and the name in Parquet's metadata) with the coverage of an export. */
export const exportEndTrailer = "devicemesh-export-end";

/** The contents of a response. */
export type ExportBody = {
  readonly writer: TableWriter;
  readonly rows: AsyncIterable<ExportRows>;
  readonly headers: Readonly<Record<string, string>>;
  end(rows: number): ExportEnd;
  /** Called before each part of the response; an error that it throws cuts it. */
  assertAllowed(): void;
  readonly stallMs: number;
};

/**
 * Sends an export. The headers are sent with the first rows, so that an earlier error is a response of its own; a later
 * error leaves the response incomplete, and its caller cuts it, so that no client mistakes it for complete. It reads
 * only as fast as the client.
 * @throws the errors of the rows; Error if the client reads nothing for `stallMs` or disconnects.
 */
export async function sendExport(
  response: OnePortResponse,
  { writer, rows, headers, end, assertAllowed, stallMs }: ExportBody,
): Promise<void> {
  const stated = await writeExport({
    writer,
    rows,
    end,
    async send(bytes) {
      assertAllowed();
      if (bytes.length === 0) return;
      if (!response.headersSent) begin(response, headers);
      await sendBytes(response, bytes, stallMs);
    },
  });
  if (!response.headersSent) begin(response, headers);
  // Trailers need the chunks of HTTP/1.1 or the frames of HTTP/2; older requests were rejected.
  response.addTrailers({ [exportEndTrailer]: JSON.stringify(stated) });
  response.end();
}

/** Writes all rows, with other work in between, and returns the end. Throws the errors of the rows and `send`. */
export async function writeExport({
  writer,
  rows,
  end,
  send,
}: Pick<ExportBody, "writer" | "rows" | "end"> & {
  readonly send: (bytes: Uint8Array) => Promise<void>;
}): Promise<ExportEnd> {
  let count = 0;
  const share = createLoopShare();
  for await (const piece of rows) {
    count += piece.length;
    await send(await writer.write(piece));
    await share();
  }
  const stated = end(count);
  await send(await writer.finish(stated));
  return stated;
}

function begin(response: OnePortResponse, headers: Readonly<Record<string, string>>): void {
  response.statusCode = 200;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("trailer", exportEndTrailer);
}

/**
 * Writes bytes and waits while the client does not read. @throws Error if it reads nothing for `stallMs` or
 * disconnects.
 */
export async function sendBytes(
  response: OnePortResponse,
  bytes: Uint8Array,
  stallMs: number,
): Promise<void> {
  // Both kinds of response have this method; their types differ in its overloads.
  if (!(response as { write(chunk: Uint8Array): boolean }).write(bytes)) await drained(response, stallMs);
}

async function drained(response: OnePortResponse, stallMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (): void => reject(new Error("the client disconnected"));
  const timer = setTimeout(
    () => reject(new Error(`the client has read nothing for ${stallMs / 1000} s`)),
    stallMs,
  );
  response.once("drain", resolve);
  response.once("close", gone);
  if (isAbandoned(response)) gone();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    response.off("drain", resolve);
    response.off("close", gone);
  }
}
