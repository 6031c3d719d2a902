import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import { submitChecked } from "../deliver/submit-checked.ts";
import type { RejectedValue } from "../readings/gateway-reading.ts";
import { type RequestReadings, readDocuments } from "../readings/read-documents.ts";
import { type Answer, answer, fieldOf, listed } from "./answer.ts";
import { HttpProblem } from "./http-problem.ts";
import type { HttpSide } from "./http-side.ts";
import { documentFormOf, rejectForeignPage } from "./request-checks.ts";

/**
 * `POST /v1/readings`: documents as JSON or NDJSON, also with gzip. 200 when every reading that breaks no rule is
 * durably stored, with the rejected ones listed by index, field and rule; 400 if all were rejected; 503 with
 * Retry-After if they could not be stored in time. `?device_id=` names the device of documents without one.
 */
export function postReadingsRoute(side: HttpSide): HttpRoute {
  return {
    method: "POST",
    path: "/v1/readings",
    handle: (request, response, url) =>
      answer(response, async () => {
        rejectForeignPage(request, side.origins);
        const form = documentFormOf(request.headers["content-type"]);
        const sender = await side.senderOf(request);
        const body = await side.bodies.read(request, response);
        try {
          const { readings, rejected } = read(body.text, form);
          const outcome = await submitChecked(readings, { ...side, sender });
          if (outcome.kind === "unavailable") throw new HttpProblem(503, outcome.message, outcome);
          const refused = outcome.rejected.map((value) => ({ ...value, ...placeOf(readings, value) }));
          return answerFor(readings.length - refused.length, [...rejected, ...refused]);
        } finally {
          body.free();
        }

        function read(text: string, form: "json" | "ndjson"): RequestReadings {
          const deviceId = url.searchParams.get("device_id") ?? undefined;
          try {
            return readDocuments(text, form, { lookup: side.lookup, nowMs: side.clock(), deviceId });
          } catch (error) {
            if (error instanceof SyntaxError)
              throw new HttpProblem(400, `the body is not JSON: ${error.message}`);
            // What JSON.parse throws if a reviver is called for too many levels.
            if (error instanceof RangeError) throw new HttpProblem(400, "the body is nested too deeply");
            throw error;
          }
        }
      }),
  };
}

/** Reports a rule about the measurement with the field of the document. */
function placeOf(
  readings: RequestReadings["readings"],
  value: RejectedValue,
): Pick<RejectedValue, "index" | "field"> {
  const reading = readings[value.index]!;
  return { index: reading.index, field: fieldOf(reading, value) };
}

function answerFor(accepted: number, rejected: readonly RejectedValue[]): Answer {
  const sorted = rejected.toSorted((a, b) => a.index - b.index);
  return {
    status: accepted === 0 && sorted.length > 0 ? 400 : 200,
    body: { accepted, refused: sorted.length, refused_readings: listed(sorted) },
  };
}
