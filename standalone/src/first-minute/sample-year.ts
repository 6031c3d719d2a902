import { fileURLToPath } from "node:url";
import type { IngestTls } from "@devicemesh/client";
import { replayFile } from "@devicemesh/generator";
import type { HttpRoute } from "@devicemesh/kit/server/http-routes";

const recording = fileURLToPath(
  new URL("../../../generator/recordings/seattle-hourly-normals.csv", import.meta.url),
);

/** The contents of the recording: two devices, a reading an hour, the climate normals of 2010 in UTC. */
const sampleYear = {
  devices: ["seattle-*"],
  since: "2010-01-01T00:00:00Z",
  to: "2011-01-01T00:00:00Z",
} as const;

/**
 * `POST /v1/sample-year` loads the recording of a year and responds with its devices, timeframe and number of readings
 * once all are stored. Loading it twice stores nothing twice; concurrent requests share one load.
 */
export function sampleYearRoute({
  target,
  tls,
}: {
  /** host:port of ingest. */
  readonly target: string;
  readonly tls: IngestTls | undefined;
}): HttpRoute {
  let loading: Promise<number> | undefined;
  async function load(): Promise<number> {
    const { acked } = await replayFile({ file: recording, target, tls });
    return acked;
  }
  return {
    method: "POST",
    path: "/v1/sample-year",
    async handle(request, response) {
      // Pages of other origins can send a form, but not JSON, without permission.
      if (request.headers["content-type"] !== "application/json") {
        response.statusCode = 415;
        response.end();
        return;
      }
      request.resume();
      loading ??= load().finally(() => {
        loading = undefined;
      });
      const body = JSON.stringify({ ...sampleYear, readings: await loading });
      response.setHeader("content-type", "application/json");
      response.end(body);
    },
  };
}
