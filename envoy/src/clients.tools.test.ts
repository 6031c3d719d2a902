import { fileURLToPath } from "node:url";
import { findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, runProgram, startEdge } from "../testing/edge-fixture.ts";

const grpcurl = findGrpcurl();
const buf = fileURLToPath(new URL("../../node_modules/@bufbuild/buf/bin/buf", import.meta.url));

// Clients in other languages are tested through Envoy in e2e/src/examples, with the code of the pages of examples/.
describe.skipIf(envoyBinary === undefined || grpcurl === undefined)("through Envoy", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>;
  beforeAll(async () => {
    edge = await startEdge();
  });
  afterAll(() => edge?.close());

  /** Runs grpcurl against the plain listener and returns its output; rejects with its error. */
  async function callWithGrpcurl(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(grpcurl ?? "", ["-plaintext", ...args]);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  }
  const json = (text: string): Record<string, unknown> => JSON.parse(text);

  describe("grpcurl", () => {
    it("controls the generator and checks health", async () => {
      const { address } = edge;
      const started = await callWithGrpcurl([
        "-d",
        '{"devices":2}',
        address,
        "devicemesh.v1.GeneratorService/StartGenerator",
      ]);
      expect(json(started).status).toMatchObject({ running: true, deviceCount: 2 });
      await callWithGrpcurl([address, "devicemesh.v1.GeneratorService/StopGenerator"]);
      const health = await callWithGrpcurl([
        "-d",
        '{"service":"devicemesh.v1.QueryService"}',
        address,
        "grpc.health.v1.Health/Check",
      ]);
      expect(json(health)).toEqual({ status: "SERVING" });
    });
  });

  describe("curl", () => {
    const reading = (deviceId: string, temperature: number) => ({
      deviceId,
      timestamp: "2026-01-01T12:00:00Z",
      thermostat: { temperature },
    });
    async function post(method: string, body: unknown): Promise<{ status: string; answer: unknown }> {
      const { stdout } = await runProgram("curl", [
        ...["-s", "-w", "\n%{http_code}", "-H", "content-type: application/json"],
        ...["-d", JSON.stringify(body), `http://${edge.address}/devicemesh.v1.${method}`],
      ]);
      const lines = stdout.split("\n");
      return { status: lines.at(-1) ?? "", answer: JSON.parse(lines[0] ?? "") };
    }

    it("publishes a batch in JSON and receives the rejected readings", async () => {
      const { status, answer } = await post("IngestService/PublishReadingBatch", {
        readings: [reading("curl-thermostat", 20), reading("curl-hot", 2000)],
      });
      expect(status).toBe("200");
      expect(answer).toMatchObject({ accepted: "1", refused: "1" });
      expect(answer).toHaveProperty("refusedReadings.0.fieldPath", "thermostat.temperature");
      expect(edge.memory.readAll().filter(({ deviceId }) => deviceId.startsWith("curl-"))).toHaveLength(1);
    });

    it("publishes a stream in JSON as an array of frames", async () => {
      const frames = [20, 21].map((temperature) => ({
        readings: [reading(`array-${temperature}`, temperature)],
      }));
      expect(await post("IngestService/PublishReadings", frames)).toMatchObject({
        status: "200",
        answer: { accepted: "2", refused: "0" },
      });
    });

    it("queries in JSON", async () => {
      const { answer } = await post("QueryService/GetAggregates", { groupBy: "GROUP_BY_SENSOR" });
      expect(answer).toHaveProperty("coverage.completeThrough");
    });

    it("receives errors in JSON, also from Envoy itself", async () => {
      const broken = await post("IngestService/PublishReadingBatch", { readings: [{ timestamp: "soon" }] });
      expect(broken).toMatchObject({ status: "400", answer: { code: "invalid_argument" } });
      expect(await post("AggregatorService/GetWindowJobStatus", {})).toMatchObject({
        status: "404",
        answer: { code: "unimplemented" },
      });
    });

    it("loads the page", async () => {
      const { stdout } = await runProgram("curl", ["-s", `http://${edge.address}/`]);
      expect(stdout).toBe("<title>the page</title>");
    });
  });

  it("buf curl receives an error, because ingest does not accept Connect's binary format", async () => {
    const { stderr } = await runProgram(process.execPath, [
      ...[buf, "curl", "--protocol", "connect", "--http2-prior-knowledge", "-d", '{"readings":[]}'],
      `http://${edge.address}/devicemesh.v1.IngestService/PublishReadings`,
    ]);
    expect(stderr).toContain("415");
  });
});
