import { describe, expect, it } from "vitest";
import { SettingsError } from "../settings/settings-error.ts";
import { silentLogger } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { openMetrics, startMetricsServer } from "./metrics-server.ts";

const logger = silentLogger();

async function start(metrics: Pick<Metrics, "text"> = createMetrics({ logger })) {
  const whole = { ...createMetrics({ logger }), ...metrics };
  const server = await startMetricsServer({ host: "127.0.0.1", port: 0 }, { metrics: whole, logger });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: server.close };
}

describe("the port of metrics", () => {
  it("answers GET and HEAD of /metrics in Prometheus' text format", async () => {
    await using served = await start({ text: async () => "a_metric 1\n" });
    const got = await fetch(`${served.url}/metrics?collect=all`);
    expect([got.status, got.headers.get("content-type"), await got.text()]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
      "a_metric 1\n",
    ]);
    const head = await fetch(`${served.url}/metrics`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "11", ""]);
  });

  it("has no other resource, and accepts no other method", async () => {
    await using served = await start();
    for (const path of ["/", "/metrics/", "/metric", "/debug"]) {
      expect((await fetch(served.url + path)).status).toBe(404);
    }
    const posted = await fetch(`${served.url}/metrics`, { method: "POST", body: "x" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("answers 500 without a reason if metrics cannot be read, and continues", async () => {
    let calls = 0;
    await using served = await start({
      async text() {
        if (++calls === 1) throw new Error("secret");
        return "a_metric 1\n";
      },
    });
    const failed = await fetch(`${served.url}/metrics`);
    expect([failed.status, await failed.text()]).toEqual([500, ""]);
    expect((await fetch(`${served.url}/metrics`)).status).toBe(200);
  });

  it("is not opened unless configured", async () => {
    expect(await openMetrics({ host: "127.0.0.1", metricsPort: undefined }, { logger })).toBeUndefined();
  });

  it("names the flag if it is in use, and is free again once it is closed", async () => {
    const served = await openMetrics({ host: "127.0.0.1", metricsPort: 0 }, { logger });
    if (!served) throw new Error("it was not opened");
    const again = () => openMetrics({ host: "127.0.0.1", metricsPort: served.port }, { logger });
    await expect(again()).rejects.toThrow(SettingsError);
    await expect(again()).rejects.toThrow(
      `127.0.0.1:${served.port} is already in use: choose another with --metrics-port`,
    );
    await served.close();
    await using reopened = await again();
    expect(reopened?.line).toBe(`metrics on 127.0.0.1:${served.port}`);
  });
});
