import type { Clock, IngestTls, UnitSender } from "@devicemesh/client";
import { invalidArgument, RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { foreignPageOf } from "@devicemesh/kit/server/foreign-page";
import { respondHttpError } from "@devicemesh/kit/server/http-errors";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest, OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import type { SensorCatalog } from "@devicemesh/proto";
import type { ImportOptions } from "../inspect/options.ts";
import { unknownColumns } from "../inspect/stated-options.ts";
import { uploadsMax } from "../limits.ts";
import { type InspectedInput, inspectInputs, loadRecordings } from "../load/import-recordings.ts";
import type { ImportReport } from "../load/report.ts";
import { describeInspection } from "../report/describe-inspection.ts";
import { inspectionJson, progressJson, reportJson } from "../report/report-json.ts";
import { createSensorLookup } from "../sensors.ts";
import { InputError, streamInput } from "../source/inputs.ts";
import { readParameters } from "./parameters.ts";

/** The dependencies of the route. */
export type ImportRouteOptions = {
  /** host:port of ingest. */
  readonly ingest: string;
  /** Cleartext if left out. */
  readonly tls?: IngestTls | undefined;
  readonly catalog: SensorCatalog;
  readonly clock: Clock;
  /** Origins of other web pages that may upload. */
  readonly origins?: readonly string[];
  readonly sender?: UnitSender | undefined;
};

/**
 * `POST /v1/import?zone=…&device=…`: the body is a recording, compressed or not; the parameters are the flags of `npm
 * run import`, and `dry_run=true`. 400 lists wrong parameters, 422 the open questions of the recording (nothing is
 * stored then). 200 is sent with a report when every reading is answered; a client that accepts application/x-ndjson
 * receives progress as lines, and the report as the last line. Reading waits for ingest, so an upload needs constant
 * memory.
 */
export function importRoutes(options: ImportRouteOptions): readonly HttpRoute[] {
  let running = 0;
  return [
    {
      method: "POST",
      path: "/v1/import",
      async handle(request, response, url) {
        if (running >= uploadsMax) {
          const description = `${uploadsMax} recordings are being loaded already: try again later`;
          return respondHttpError(response, resourceExhausted({ subject: "uploads", description }));
        }
        running += 1;
        try {
          await answer(request, response, url, options);
        } finally {
          running -= 1;
        }
      },
    },
  ];
}

async function answer(
  request: OnePortRequest,
  response: OnePortResponse,
  url: URL,
  { ingest, tls, catalog, clock, origins = [], sender }: ImportRouteOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const page = foreignPageOf(request, origins);
    if (page !== undefined) {
      throw new RpcError({
        code: "PERMISSION_DENIED",
        message: `web pages of ${page} may not load recordings: add it with --cors-origin`,
      });
    }
    const lookup = createSensorLookup(catalog);
    const { stated, name, isDryRun } = readParameters(url.searchParams, lookup);
    if (stated.kind === "problems") return respond(response, 400, { problems: stated.problems });
    const { options } = stated;
    const length = Number(request.headers["content-length"] ?? Number.NaN);
    // Destroying the request destroys its response too.
    const body: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
    const input = streamInput(name, body, Number.isNaN(length) ? undefined : length);
    const [inspected] = await inspectInputs([input], { options, lookup });
    const inspection = inspectionJson(describeInspection(inspected!));
    const problems = openProblems(inspected!, options);
    if (problems.length > 0) {
      await inspected!.sampled.close();
      return respond(response, 422, { problems, look: inspection });
    }
    const lines = /application\/x-ndjson/.test(String(request.headers.accept ?? ""))
      ? startLines(response)
      : undefined;
    lines?.({ look: inspection });
    const report = await loadRecordings([inspected!], {
      to: ingest,
      tls,
      catalog,
      isDryRun,
      giveUpAfterMs: giveUpMs,
      clock,
      signal: gone.signal,
      sender,
      onProgress: (progress) => lines?.({ progress: progressJson(progress) }),
    });
    finish(response, lines, report, inspection);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) throw error;
    const description = error instanceof InputError ? error.message : undefined;
    const damage = description && invalidArgument({ field: "body", description, reason: "INPUT_DAMAGED" });
    respondHttpError(response, damage ?? error);
  }
}

// The client has timed out long before.
const giveUpMs = 30_000;

function openProblems({ inspection }: InspectedInput, options: ImportOptions): string[] {
  if (inspection.problem !== undefined) return [inspection.problem];
  const names = new Set(inspection.sample.flatMap((row) => row.names));
  return [
    ...unknownColumns(options, names),
    ...inspection.questions.map(({ flag, text }) => `state ${flag}: ${text}`),
  ];
}

type WriteLine = (line: Readonly<Record<string, unknown>>) => void;

const progressMs = 250;

/** Begins a response of lines; it writes at most four lines of progress a second. */
function startLines(response: OnePortResponse): WriteLine {
  response.statusCode = 200;
  response.setHeader("content-type", "application/x-ndjson");
  const output: NodeJS.WritableStream = response;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return (line) => {
    const isProgress = "progress" in line;
    if (isProgress && performance.now() - shownAtMs < progressMs) return;
    if (isProgress) shownAtMs = performance.now();
    output.write(`${JSON.stringify(line)}\n`);
  };
}

function finish(
  response: OnePortResponse,
  lines: WriteLine | undefined,
  report: ImportReport,
  inspection: ReturnType<typeof inspectionJson>,
): void {
  const content = { report: reportJson(report) };
  if (lines === undefined)
    respond(response, report.ended === "gave-up" ? 503 : 200, { look: inspection, ...content });
  else {
    lines(content);
    response.end();
  }
}

function respond(
  response: OnePortResponse,
  status: number,
  content: Readonly<Record<string, unknown>>,
): void {
  const body = `${JSON.stringify(content)}\n`;
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}
