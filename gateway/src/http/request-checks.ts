import { foreignPageOf } from "@devicemesh/kit/server/foreign-page";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import { HttpProblem } from "./http-problem.ts";

/** Rejects the requests of foreign web pages. @throws HttpProblem 403. */
export function rejectForeignPage(request: OnePortRequest, origins: readonly string[]): void {
  const page = foreignPageOf(request, origins);
  if (page === undefined) return;
  throw new HttpProblem(403, `web pages of ${page} may not send readings: add it with --cors-origin`);
}

/** Returns the format of a body of documents by its content type; JSON without one. @throws HttpProblem 415. */
export function documentFormOf(contentType: string | undefined): "json" | "ndjson" {
  const type = (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (type === "" || type === "application/json" || type.endsWith("+json")) return "json";
  if (/^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines|json-seq)$/.test(type)) return "ndjson";
  throw new HttpProblem(
    415,
    `content-type ${JSON.stringify(type.slice(0, 60))} is not accepted: use application/json or application/x-ndjson (curl -H 'content-type: application/json')`,
  );
}
