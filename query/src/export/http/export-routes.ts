import { type HttpGate, openHttpGate } from "@devicemesh/identity";
import { respondError } from "@devicemesh/kit/rpc/requests/rejected-requests";
import { isAbandoned } from "@devicemesh/kit/server/http-errors";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest, OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import { isoMilliseconds, type Level } from "@devicemesh/proto";
import type { AnswerCoverage } from "../../answer/aggregate-rows.ts";
import type { UnitOf } from "../../plan/merge.ts";
import { allTime } from "../../plan/planner.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { exportBuckets } from "../buckets-export.ts";
import type { ExportAdmission } from "../export-admission.ts";
import { exportStallMs } from "../export-limits.ts";
import {
  bucketRows,
  bucketsTable,
  type ExportColumn,
  type ExportRows,
  readingRows,
  readingsTable,
} from "../formats/export-table.ts";
import type { ExportEnd, TableWriter, TableWriterOptions } from "../formats/table-writer.ts";
import { createCsvWriter, createNdjsonWriter } from "../formats/text-writers.ts";
import { exportReadings } from "../readings-export.ts";
import { rangeRequest } from "./byte-range.ts";
import { type ExportFormat, type ExportParameters, exportParameters } from "./export-parameters.ts";
import { exportEndTrailer, sendExport, writeExport } from "./export-response.ts";
import type { ExportSpool } from "./export-spool.ts";
import { sendSpooled } from "./spooled-response.ts";

/** The dependencies of the routes. */
export type ExportRoutesDependencies = {
  readonly store: ReadingStore;
  readonly admission: ExportAdmission;
  readonly unitOf: UnitOf;
  /** Keeps exports for clients that request ranges; without it such clients get the whole. */
  readonly spool?: ExportSpool | undefined;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Admits every request if left out. */
  readonly gate?: HttpGate | undefined;
  /** Called for each export that is cut, with the reason, unless its client has disconnected. */
  readonly onCut?: (error: unknown) => void;
  /** `exportStallMs` by default. */
  readonly stallMs?: number | undefined;
};

type Table = {
  readonly columns: readonly ExportColumn[];
  readonly rows: AsyncIterable<ExportRows>;
  readonly coverage: () => AnswerCoverage;
};

type Kind = "readings" | "buckets";

/** The resources `GET /v1/readings` and `GET /v1/buckets`; docs/export.md describes them. */
export function exportRoutes(dependencies: ExportRoutesDependencies): readonly HttpRoute[] {
  const { gate = openHttpGate } = dependencies;
  return (["readings", "buckets"] as const).map((kind) =>
    gate.guard("devicemesh.read", {
      method: "GET",
      path: `/v1/${kind}`,
      handle: (request, response, url) =>
        handleExport({ ...dependencies, gate }, { kind, request, response, url }),
    }),
  );
}

type Dependencies = ExportRoutesDependencies & { readonly gate: HttpGate };

type Call = {
  readonly kind: Kind;
  readonly request: OnePortRequest;
  readonly response: OnePortResponse;
  readonly url: URL;
};

async function handleExport(dependencies: Dependencies, call: Call): Promise<void> {
  const { store, clock, onCut } = dependencies;
  const { kind, request, response, url } = call;
  if (request.httpVersion === "1.0") {
    // Its responses end with the connection, so that a cut would look like the end.
    return respondError(response, 505, "unimplemented", "an export needs HTTP/1.1 or later");
  }
  const { windowMs } = store.levels[0] as Level;
  const parameters = exportParameters(url.searchParams, { kind, windowMs, nowMs: clock() });
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client disconnected")));
  try {
    if (await handleParts(dependencies, call, parameters, gone.signal)) return;
    await streamExport(dependencies, call, parameters, gone.signal);
  } catch (error) {
    if (response.headersSent && !isAbandoned(response)) onCut?.(error);
    throw error;
  }
}

async function streamExport(
  { store, unitOf, admission, gate, stallMs = exportStallMs }: Dependencies,
  { kind, request, response }: Call,
  parameters: ExportParameters,
  signal: AbortSignal,
): Promise<void> {
  const headers = headersOf(kind, parameters);
  if (request.method === "HEAD") {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end();
    return;
  }
  using _ = admission.admit();
  const { columns, rows, coverage } = await openTable({ store, unitOf }, kind, parameters, signal);
  await sendExport(response, {
    writer: await openWriter(parameters.format, { columns, ...parameters }),
    rows,
    headers: {
      ...headers,
      "devicemesh-complete-through": isoMilliseconds(coverage().completeThroughMs),
    },
    end: (count) => endOf(count, coverage()),
    assertAllowed: () => gate.assertStillValid(request),
    stallMs,
  });
}

/**
 * Answers clients that request the size of the file and ranges of it (DuckDB, Polars), from one export that is kept for
 * them. Returns false for other requests. A client that resumes a download of another export ("from byte N on") gets
 * the whole file.
 */
async function handleParts(
  { store, unitOf, admission, gate, spool, stallMs = exportStallMs }: Dependencies,
  { kind, request, response, url }: Call,
  parameters: ExportParameters,
  signal: AbortSignal,
): Promise<boolean> {
  const isHead = request.method === "HEAD";
  const range = isHead ? undefined : rangeRequest(request.headers.range);
  if (spool === undefined || (!isHead && range === undefined)) return false;
  const key = `${gate.userOf(request)?.subject ?? ""} ${url.pathname}${url.search}`;
  const kept = spool.find(key);
  if (kept === undefined && range?.kind === "open" && range.start > 0) return false;
  const file =
    (await kept) ??
    (await spool.open(
      key,
      async (sink, stopped) => {
        using _ = admission.admit();
        const { columns, rows, coverage } = await openTable({ store, unitOf }, kind, parameters, stopped);
        const writer = await openWriter(parameters.format, { columns, ...parameters });
        return writeExport({ writer, rows, end: (count) => endOf(count, coverage()), send: sink });
      },
      signal,
    ));
  const headers = {
    ...headersOf(kind, parameters),
    "devicemesh-complete-through": file.end.complete_through,
    [exportEndTrailer]: JSON.stringify(file.end),
  };
  await sendSpooled(response, file, { headers, range, isHead, stallMs });
  return true;
}

function headersOf(kind: Kind, { format }: ExportParameters): Readonly<Record<string, string>> {
  return {
    "content-type": contentTypes[format],
    "content-disposition": `attachment; filename="${kind}.${format}"`,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
}

async function openTable(
  { store, unitOf }: Pick<Dependencies, "store" | "unitOf">,
  kind: Kind,
  { filter, timeframe, sizing, grouping }: ExportParameters,
  signal: AbortSignal,
): Promise<Table> {
  if (kind === "readings") {
    const { pieces, coverage } = await exportReadings(store, { filter, timeframe }, signal);
    return { columns: readingsTable, rows: mapped(pieces, (piece) => readingRows(piece, unitOf)), coverage };
  }
  const request = { filter, timeframe, sizing, grouping, unitOf };
  const { pieces, coverage } = await exportBuckets(store, request, signal);
  return { columns: bucketsTable, rows: mapped(pieces, bucketRows), coverage };
}

async function* mapped<From, To>(from: AsyncIterable<From>, map: (each: From) => To): AsyncGenerator<To> {
  for await (const each of from) yield map(each);
}

const contentTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  arrow: "application/vnd.apache.arrow.file",
  parquet: "application/vnd.apache.parquet",
};

/** The libraries of the binary formats are loaded at their first use. */
async function openWriter(format: ExportFormat, options: TableWriterOptions): Promise<TableWriter> {
  switch (format) {
    case "csv":
      return createCsvWriter(options);
    case "ndjson":
      return createNdjsonWriter(options);
    case "arrow":
      return (await import("../formats/arrow-writer.ts")).createArrowWriter(options);
    case "parquet":
      return (await import("../formats/parquet-writer.ts")).createParquetWriter(options);
  }
}

function endOf(rows: number, { completeThroughMs, notCovered }: AnswerCoverage): ExportEnd {
  return {
    rows,
    complete_through: isoMilliseconds(completeThroughMs),
    not_covered: notCovered.map(({ sinceMs, toMs }) => ({
      ...(sinceMs > allTime.sinceMs && { since: isoMilliseconds(sinceMs) }),
      ...(toMs < allTime.toMs && { to: isoMilliseconds(toMs) }),
    })),
  };
}
