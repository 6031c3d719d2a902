import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { systemClock } from "@devicemesh/client/clock";
import { ackUnit, createFakeSender } from "@devicemesh/client/testing/outbox-fixture";
import { createHttpRoutes } from "@devicemesh/kit/server/http-routes";
import { createSensorCatalog } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importRoutes } from "./import-route.ts";

const routes = importRoutes({
  ingest: "",
  catalog: createSensorCatalog(),
  clock: systemClock,
  sender: createFakeSender(ackUnit).sender,
  origins: ["http://friend"],
});
const server = createServer(createHttpRoutes(routes));
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/import`;
});
afterAll(() => {
  server.close();
});

const csv = "time,temperature\n2025-03-29 20:00,21.5\n2025-03-29 20:01,\n2025-03-29 20:02,warm\n";
const flags = "?zone=UTC&device=a";

async function post(
  query: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(base + query, { method: "POST", body, headers });
  return { status: response.status, text: await response.text() };
}

describe("POST /v1/import", () => {
  it("answers with a description of the recording and a report whose numbers add up", async () => {
    const { status, text } = await post(flags, csv);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      look: {
        examples: [
          {
            line: 2,
            device_id: "a",
            sensor: "temperature",
            value: 21.5,
            timestamp: "2025-03-29T20:00:00.000Z",
          },
        ],
        questions: [],
      },
      report: {
        ended: "complete",
        rows: 3,
        values: 3,
        stored: 1,
        missing: 1,
        refused: 1,
        bad_rows: 0,
        dry_run: false,
      },
    });
  });

  it("reads packed bodies, and stores nothing in a dry run", async () => {
    const { status, text } = await post(`${flags}&dry_run=true`, new Uint8Array(gzipSync(csv)));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ report: { dry_run: true, stored: 1 } });
  });

  it("answers 422 with all open questions, by parameter", async () => {
    const { status, text } = await post("", csv);
    expect(status).toBe(422);
    const { look: inspection, problems } = JSON.parse(text);
    expect(inspection.questions.map(({ parameter }: { parameter: string }) => parameter)).toEqual([
      "zone",
      "device",
    ]);
    expect(problems).toHaveLength(2);
  });

  it("answers 400 with every wrong parameter", async () => {
    const { status, text } = await post("?zone=Mars&map=a&order=up&colour=red&device=a&device=b", csv);
    expect(status).toBe(400);
    expect(
      JSON.parse(text)
        .problems.map((problem: string) => problem.split(":")[0])
        .sort(),
    ).toEqual(["colour", "device", "map", "order", "zone"]);
  });

  it("writes lines of progress to a client that accepts them, and the report last", async () => {
    const { text } = await post(flags, csv, { accept: "application/x-ndjson" });
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(Object.keys(lines[0])).toEqual(["look"]);
    expect(lines.at(-1)).toMatchObject({ report: { ended: "complete", stored: 1 } });
  });

  it("rejects pages of other origins", async () => {
    expect((await post(flags, csv, { origin: "http://elsewhere" })).status).toBe(403);
    expect((await post(flags, csv, { origin: "http://friend" })).status).toBe(200);
    expect((await post(flags, csv, { origin: new URL(base).origin })).status).toBe(200);
  });

  it("names the problem of an unreadable body", async () => {
    const packed = new Uint8Array(gzipSync(csv).subarray(0, 40));
    expect(await post(flags, packed)).toMatchObject({
      status: 400,
      text: expect.stringContaining("upload is damaged"),
    });
    expect(await post(flags, "")).toMatchObject({
      status: 422,
      text: expect.stringContaining("the file is empty"),
    });
  });
});
