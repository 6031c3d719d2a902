import { fileURLToPath } from "node:url";
import { findGrpcurl } from "@devicemesh/engines/testing/host-tools";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, runProgram, startEdge } from "../testing/edge-fixture.ts";

const grpcurl = findGrpcurl();
const buf = fileURLToPath(new URL("../../node_modules/@bufbuild/buf/bin/buf", import.meta.url));

// What clients of other kinds get through Envoy: e2e/src/examples, by the pages of examples/.
describe.skipIf(envoyBinary === undefined || grpcurl === undefined)("through Envoy", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>;
  beforeAll(async () => {
    edge = await startEdge();
  });
  afterAll(() => edge?.close());

  /** Runs grpcurl against the plain listener and gives what it prints; fails with what it complains of. */
  async function callWithGrpcurl(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runProgram(grpcurl ?? "", ["-plaintext", ...args]);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  }
  const json = (text: string): Record<string, unknown> => JSON.parse(text);

  describe("grpcurl", () => {
    it("controls the generator and asks for health", async () => {
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

    it("publishes a batch in JSON and is told what was refused", async () => {
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

    it("asks in JSON", async () => {
      const { answer } = await post("QueryService/GetAggregates", { groupBy: "GROUP_BY_SENSOR" });
      expect(answer).toHaveProperty("coverage.completeThrough");
    });

    it("is told in JSON what is wrong, also by Envoy itself", async () => {
      const broken = await post("IngestService/PublishReadingBatch", { readings: [{ timestamp: "soon" }] });
      expect(broken).toMatchObject({ status: "400", answer: { code: "invalid_argument" } });
      expect(await post("AggregatorService/GetWindowJobStatus", {})).toMatchObject({
        status: "404",
        answer: { code: "unimplemented" },
      });
    });

    it("gets the page", async () => {
      const { stdout } = await runProgram("curl", ["-s", `http://${edge.address}/`]);
      expect(stdout).toBe("<title>the page</title>");
    });
  });

  it("buf curl is told that ingest does not take Connect's bytes", async () => {
    const { stderr } = await runProgram(process.execPath, [
      ...[buf, "curl", "--protocol", "connect", "--http2-prior-knowledge", "-d", '{"readings":[]}'],
      `http://${edge.address}/devicemesh.v1.IngestService/PublishReadings`,
    ]);
    expect(stderr).toContain("415");
  });
});
