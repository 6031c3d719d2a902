import { linePrecisionOf } from "@devicemesh/kit/line-protocol/line-protocol";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import { submitChecked } from "../deliver/submit-checked.ts";
import type { RejectedValue } from "../readings/gateway-reading.ts";
import { type Answer, answer, fieldOf, listed } from "./answer.ts";
import { HttpProblem } from "./http-problem.ts";
import type { HttpSide } from "./http-side.ts";
import { readLines } from "./line-readings.ts";
import { rejectForeignPage } from "./request-checks.ts";

/**
 * `POST /api/v2/write` and `POST /write`: InfluxDB line protocol, also with gzip. 204 when everything is durably
 * stored; 400 with line numbers if some lines were rejected and the others are stored; 503 with Retry-After if the
 * readings could not be stored in time. Organization, bucket and database are ignored.
 */
export function postLinesRoutes(side: HttpSide): readonly HttpRoute[] {
  return ["/api/v2/write", "/write"].map((path) => ({
    method: "POST",
    path,
    handle: (request, response, url) =>
      answer(response, async () => {
        rejectForeignPage(request, side.origins);
        const name = url.searchParams.get("precision") ?? "ns";
        const precision = linePrecisionOf(name);
        if (precision === undefined) {
          throw new HttpProblem(
            400,
            `precision ${JSON.stringify(name.slice(0, 20))} is not one of ns, us, ms, s, m, h`,
          );
        }
        const sender = await side.senderOf(request);
        const body = await side.bodies.read(request, response);
        try {
          const { lookup, deviceTags } = side;
          const { readings, rejected } = readLines(body.text, {
            lookup,
            deviceTags,
            precision,
            nowMs: side.clock(),
          });
          const outcome = await submitChecked(readings, { ...side, sender });
          if (outcome.kind === "unavailable") throw new HttpProblem(503, outcome.message, outcome);
          return answerFor([
            ...rejected,
            ...outcome.rejected.map((value) => {
              const { line } = readings[value.index]!;
              const field = fieldOf(readings[value.index]!, value);
              return { ...value, index: line, field, text: `line ${line}: ${field}: ${value.text}` };
            }),
          ]);
        } finally {
          body.free();
        }
      }),
  }));
}

/** The error in InfluxDB's format, so that its clients show the message: `line` is the first rejected line. */
function answerFor(rejected: readonly RejectedValue[]): Answer {
  if (rejected.length === 0) return { status: 204 };
  const sorted = rejected.toSorted((a, b) => a.index - b.index);
  const first = sorted.slice(0, 5).map(({ text }) => text);
  const more = sorted.length > first.length ? `; and ${sorted.length - first.length} more` : "";
  const message = `partial write: ${sorted.length} values were rejected, the others are stored: ${first.join("; ")}${more}`;
  return {
    status: 400,
    body: {
      code: "invalid",
      message,
      error: message,
      line: sorted[0]!.index,
      refused: sorted.length,
      refused_readings: listed(sorted),
    },
  };
}
