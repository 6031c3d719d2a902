import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { envoyBinary, localhost, quietEnvoy, startEdge } from "../testing/edge-fixture.ts";
import { sampleSettings } from "../testing/sample-settings-fixture.ts";
import { renderEnvoy } from "./render.ts";
import { startEnvoy } from "./start-envoy.ts";
import { validateConfig } from "./validate.ts";

const nowhere = { ingest: [localhost(1)], query: [localhost(1)], generator: [localhost(1)] };

describe("renderEnvoy", () => {
  it("rejects settings that contradict each other", async () => {
    using folder = temporaryFolder();
    const { least, most } = await sampleSettings(folder.path);
    expect(() => renderEnvoy({ ...least, users: most.users })).toThrow("need the public listener");
    expect(() => renderEnvoy({ ...least, query: [] })).toThrow("query has no endpoint");
  });

  it("has no listener, filter or cluster that is not configured", async () => {
    using folder = temporaryFolder();
    const { least, most } = await sampleSettings(folder.path);
    const optional = [
      "name: public",
      "name: devices",
      "jwt_authn",
      "rbac",
      "CorsPolicy",
      "name: tracing",
      "name: aggregator",
    ];
    const found = (text: string) => optional.filter((part) => text.includes(part));
    expect(found(renderEnvoy(least))).toEqual([]);
    expect(found(renderEnvoy(most))).toEqual(optional);
  });
});

describe.skipIf(envoyBinary === undefined)("startEnvoy", () => {
  it("reports an invalid configuration with Envoy's message", async () => {
    const edit = (text: string) => text.replace("lb_policy: LEAST_REQUEST", "lb_policy: LEAST_REQUESTS");
    await expect(startEnvoy({ ...quietEnvoy, ...nowhere, edit })).rejects.toThrow(/LEAST_REQUESTS/);
  });

  it("is rejected by Envoy with a field that does not exist", async () => {
    using folder = temporaryFolder();
    const { least } = await sampleSettings(folder.path);
    const file = join(folder.path, "envoy.yaml");
    writeFileSync(file, renderEnvoy(least).replace("connect_timeout: 1s", "connection_timeout: 1s"));
    await expect(validateConfig(envoyBinary ?? "", file)).rejects.toThrow(/connection_timeout/);
  });

  it("names the port that is in use", async () => {
    await using first = await startEnvoy({ ...quietEnvoy, ...nowhere });
    const second = startEnvoy({ ...quietEnvoy, ...nowhere, plain: first.plain });
    await expect(second).rejects.toThrow(`127.0.0.1:${first.plain.port}`);
  });

  it("is ready before any backend is, and calls fail as UNAVAILABLE until then", async () => {
    await using envoy = await startEnvoy({ ...quietEnvoy, ...nowhere });
    const response = await fetch(
      `http://127.0.0.1:${envoy.plain.port}/devicemesh.v1.QueryService/ListSeries`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      },
    );
    expect([response.status, (await response.json()) as unknown]).toMatchObject([
      503,
      { code: "unavailable" },
    ]);
  });

  it("can be closed twice, and reports when Envoy ends by itself", async () => {
    const edge = await startEdge();
    let how = "";
    void edge.envoy.ended.then((ended) => {
      how = ended;
    });
    process.kill(edge.envoy.processId, "SIGKILL");
    await waitUntil(() => how === "SIGKILL");
    await Promise.all([edge.envoy.close(), edge.envoy.close()]);
    await edge.close();
  });

  it("sends spans of the calls to a collector if tracing is on", async () => {
    await using collector = await startBackend();
    await using edge = await startEdge({ tracing: { collector: localhost(collector.port), percent: 100 } });
    await fetch(`http://${edge.address}/`);
    const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    await waitUntil(() => collector.attempts(path) > 0, { timeoutMs: 15_000, what: "a span" });
    expect(edge.seen.at(-1)?.headers).toHaveProperty("traceparent");
  });
});
