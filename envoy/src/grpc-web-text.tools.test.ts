import { describe, expect, it } from "vitest";
import { envoyBinary, startEdge } from "../testing/edge-fixture.ts";

/** An empty message in gRPC-Web's framing, in base64. */
const emptyMessage = Buffer.alloc(5).toString("base64");

describe.skipIf(envoyBinary === undefined)("gRPC-Web in base64, through Envoy", () => {
  it.each([
    ["query", "devicemesh.v1.QueryService/GetAggregates"],
    ["ingest", "devicemesh.v1.IngestService/PublishReadingBatch"],
  ])("is answered in base64 by %s", async (_, method) => {
    await using edge = await startEdge();
    const response = await fetch(`http://${edge.address}/${method}`, {
      method: "POST",
      headers: {
        "content-type": "application/grpc-web-text",
        accept: "application/grpc-web-text",
        "x-grpc-web": "1",
      },
      body: emptyMessage,
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/grpc-web-text/);
    const text = await response.text();
    const pieces = text
      .split(/(?<==)(?=[^=])/)
      .map((piece) => Buffer.from(piece, "base64").toString("latin1"));
    expect(pieces.join("")).toMatch(/grpc-status: ?0/);
  });
});
