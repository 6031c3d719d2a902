import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { createHttpRoutes } from "@devicemesh/kit/server/http-routes";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { onTestFinished } from "vitest";
import { createDelivery } from "../src/deliver/delivery.ts";
import { gatewayLimits } from "../src/limits.ts";
import { createSensorLookup } from "../src/readings/sensor-lookup.ts";
import { type GatewayRoutesDependencies, gatewayRoutes } from "../src/routes.ts";
import { lineDeviceTagsByDefault } from "../src/settings.ts";
import { createFakeIngest, type FakeIngest } from "./fake-ingest.ts";

/** The clock of the tests, in ms since 1970. */
export const testNowMs = Date.UTC(2026, 10, 23, 12);

/** Serves the routes of a gateway in front of a fake ingest, until the test ends. */
export async function serveGateway({
  ingest = createFakeIngest(),
  limits,
  ...options
}: { readonly ingest?: FakeIngest } & Partial<GatewayRoutesDependencies> = {}) {
  const bounds = { ...gatewayLimits, ...limits };
  const delivery = createDelivery({ sender: ingest, limits: bounds.delivery });
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: createHttpRoutes(
      gatewayRoutes({
        delivery,
        lookup: createSensorLookup(),
        clock: () => testNowMs,
        unfinished: createUnfinishedRequests(),
        deviceTags: lineDeviceTagsByDefault.split(","),
        limits: bounds,
        ...options,
      }),
    ),
    shutdownGraceMs: 0,
  });
  onTestFinished(async () => {
    await server.close();
    await delivery.close({ limitMs: 0 });
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    ingest,
    delivery,
    async post(
      path: string,
      body: string | Uint8Array<ArrayBuffer>,
      headers: Readonly<Record<string, string>> = {},
    ) {
      const response = await fetch(`${url}${path}`, { method: "POST", body: new Blob([body]), headers });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? undefined : JSON.parse(text),
      };
    },
  };
}
