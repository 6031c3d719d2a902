import { once } from "node:events";
import { createServer } from "node:net";
import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { listenAnywhere } from "@devicemesh/kit/testing/socket-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { registerOperatorMetrics } from "../metrics.ts";
import { watchPort } from "./port-watch.ts";

const name = "devicemesh_operator_spark_master_reachable";

it("reports as a metric whether a server accepts connections, after it stops and after it starts again", async () => {
  await using reported = await startTestMetrics();
  let server = createServer();
  const port = await listenAnywhere(server);
  using watch = watchPort({ host: "127.0.0.1", port, everyMs: 20, connectMs: 1000 });
  registerOperatorMetrics(reported.metrics, {
    connectors: [],
    observation: () => undefined,
    deadLetters: () => ({ duplicate: 0, conflict: 0, redelivery: 0, invalid: 0 }),
    isSparkMasterReachable: watch.isReachable,
  });
  const value = async () => (await reported.scrape()).value(name);
  await waitUntil(async () => (await value()) === 1, { what: "it is reachable" });
  server.close();
  await waitUntil(async () => (await value()) === 0, { what: "it is gone" });
  server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  await waitUntil(async () => (await value()) === 1, { what: "it has recovered" });
  server.close();
});

it("has no value where no master is watched", async () => {
  await using reported = await startTestMetrics();
  registerOperatorMetrics(reported.metrics, {
    connectors: [],
    observation: () => undefined,
    deadLetters: () => ({ duplicate: 0, conflict: 0, redelivery: 0, invalid: 0 }),
  });
  expect((await reported.scrape()).names.has(name)).toBe(false);
});
