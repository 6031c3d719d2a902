import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, startEdge } from "../testing/edge-fixture.ts";

const publish = "/devicemesh.v1.IngestService/PublishReadingBatch";
const stream = "/devicemesh.v1.IngestService/PublishReadings";
const listSeries = "/devicemesh.v1.QueryService/ListSeries";
const reading = {
  deviceId: "forged",
  timestamp: "2026-01-01T12:00:00Z",
  thermostat: { temperature: 21 },
};

/**
 * The listener that a web page of another origin can reach without its visitor's knowledge: the plain one of this
 * machine.
 */
describe.skipIf(envoyBinary === undefined)("a web page of another origin", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>;
  beforeAll(async () => {
    edge = await startEdge();
  });
  afterAll(() => edge?.close());

  /** fetch() cannot send another Host, or none. */
  function post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<{ readonly status: number | undefined; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const [, port] = edge.address.split(":");
      const sent = request({ host: "127.0.0.1", port, path, method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode, text }));
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
  const batch = JSON.stringify({ readings: [reading] });

  it.each([
    ["text/plain", publish, batch],
    ["text/plain;application/json", publish, batch],
    ["application/x-www-form-urlencoded", publish, batch],
    ["multipart/form-data; boundary=b", publish, batch],
    ["application/jsonp", publish, batch],
    ["", publish, batch],
    ["text/plain", stream, `[${batch}]`],
  ])(
    "cannot write readings with content-type %j, which needs no preflight of CORS",
    async (type, path, body) => {
      const before = edge.memory.messages.length;
      const { status, text } = await post(path, type === "" ? {} : { "content-type": type }, body);
      expect(status).toBe(415);
      expect(text).toContain(
        "send content-type application/grpc, application/grpc-web+proto or application/json",
      );
      expect(edge.memory.messages.length).toBe(before);
    },
  );

  it.each(["application/json", "application/json; charset=utf-8", "Application/JSON"])(
    "is distinguished from a client that sends %s",
    async (type) => {
      expect((await post(publish, { "content-type": type }, batch)).status).toBe(200);
    },
  );

  it.each(["attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example"])(
    "gets 403 by a name of its own that resolves to this machine: %s",
    async (host) => {
      for (const path of [publish, listSeries, "/"]) {
        const { status, text } = await post(path, { "content-type": "application/json", host }, "{}");
        expect([path, status]).toEqual([path, 403]);
        expect(text).toContain("authentication is off here");
      }
    },
  );

  it.each(["localhost", "localhost:8080", "[::1]:8080", "127.0.0.1:1"])(
    "is distinguished from a client on this machine, which names it %s",
    async (host) => {
      const { status } = await post(listSeries, { "content-type": "application/json", host }, "{}");
      expect(status).toBe(200);
    },
  );

  it("gets 400 for an invalid Host", async () => {
    const { status } = await post(listSeries, { "content-type": "application/json", host: "[" }, "{}");
    expect(status).toBe(400);
  });
});
