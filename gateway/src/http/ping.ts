import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import { answer } from "./answer.ts";

/**
 * The checks that clients of InfluxDB make before they write: `GET /ping` (204) and `GET /health` (200, or 503 while
 * readings cannot be stored). Neither needs authentication.
 */
export function pingRoutes({
  isServing,
  version,
}: {
  readonly isServing: () => boolean;
  readonly version: string;
}): readonly HttpRoute[] {
  const headers = { "x-influxdb-version": `device-mesh-${version}`, "x-influxdb-build": "device-mesh" };
  return [
    {
      method: "GET",
      path: "/ping",
      handle: (_, response) => answer(response, async () => ({ status: 204, headers })),
    },
    {
      method: "GET",
      path: "/health",
      handle: (_, response) =>
        answer(response, async () => ({
          status: isServing() ? 200 : 503,
          headers,
          body: {
            name: "device-mesh",
            message: isServing() ? "ready for queries and writes" : "readings cannot be stored now",
            status: isServing() ? "pass" : "fail",
            checks: [],
            version,
          },
        })),
    },
  ];
}
