import { describe, expect, it } from "vitest";
import { silentLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { rpcCodes } from "./metrics-rpc.ts";

const method = { type: "unary", service: "s.v1.S", method: "Do" } as const;
const labels = 'grpc_type="unary",grpc_service="s.v1.S",grpc_method="Do"';

describe("counting of RPCs", () => {
  it("names the codes like the gRPC ecosystem", () => {
    expect([rpcCodes[0], rpcCodes[1], rpcCodes[14], rpcCodes[16], rpcCodes.length]).toEqual([
      "OK",
      "Canceled",
      "Unavailable",
      "Unauthenticated",
      17,
    ]);
  });

  it("exports a registered method with 0 for every code", async () => {
    const metrics = createMetrics({ logger: silentLogger() });
    metrics.rpc.know(method);
    const text = await metrics.text();
    expect(text).toContain(`grpc_server_started_total{${labels}} 0`);
    for (const code of rpcCodes) {
      expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="${code}"} 0`);
    }
    expect(text).toContain(`grpc_server_handling_seconds_count{${labels}} 0`);
    expect(text).toContain(`grpc_server_in_flight{${labels}} 0`);
  });

  it("counts a call once, with the code and the time of its first end", async () => {
    let nowMs = 1000;
    const metrics = createMetrics({ logger: silentLogger(), monotonicMs: () => nowMs });
    const { rpc } = metrics;
    const end = rpc.know(method).begin();
    rpc.know(method).begin();
    nowMs += 1500;
    end(5);
    nowMs += 5000;
    end(0);
    const text = await metrics.text();
    expect(text).toContain(`grpc_server_started_total{${labels}} 2`);
    expect(text).toContain(`grpc_server_in_flight{${labels}} 1`);
    expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="NotFound"} 1`);
    expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} 0`);
    expect(text).toContain(`grpc_server_handling_seconds_sum{${labels}} 1.5`);
  });
});
