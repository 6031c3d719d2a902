import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestAuthority, writeKeyPair } from "@devicemesh/identity/testing";
import { temporaryFolder } from "@devicemesh/kit/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGrpcurl } from "../../scripts/tools.ts";
import { edgeServices, envoyBinary, runProgram, startEdge } from "./edge-fixture.ts";

const grpcurl = findGrpcurl();
const buf = fileURLToPath(new URL("../../node_modules/@bufbuild/buf/bin/buf", import.meta.url));
const image = fileURLToPath(new URL("../../proto/gen/image.binpb", import.meta.url));
const readings = readFileSync(new URL("readings-fixture.ndjson", import.meta.url), "utf8");

describe.skipIf(envoyBinary === undefined || grpcurl === undefined)("through Envoy", () => {
  const folder = temporaryFolder();
  let edge: Awaited<ReturnType<typeof startEdge>>;
  let authorityFile: string;

  beforeAll(async () => {
    const authority = await createTestAuthority();
    authorityFile = join(folder.path, "authority.pem");
    writeFileSync(authorityFile, authority.certificate);
    const server = writeKeyPair(folder.path, "server", authority.server);
    edge = await startEdge({ public: { host: "127.0.0.1", port: 0, ...server } });
  });
  afterAll(async () => {
    await edge?.close();
    folder[Symbol.dispose]();
  });

  /** Runs grpcurl against the plain listener and gives what it prints; fails with what it complains of. */
  async function callWithGrpcurl(args: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await runProgram(grpcurl ?? "", ["-plaintext", ...args], { input });
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  }
  const json = (text: string): Record<string, unknown> => JSON.parse(text);

  describe("grpcurl", () => {
    it("lists every service of the contract on the one address, from reflection", async () => {
      const listed = (await callWithGrpcurl([edge.address, "list"])).trim().split("\n");
      expect(listed).toEqual(
        [
          ...edgeServices,
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
        ].sort(),
      );
    });

    it("describes the services of every backend", async () => {
      for (const service of ["IngestService", "QueryService", "GeneratorService"]) {
        const text = await callWithGrpcurl([edge.address, "describe", `devicemesh.v1.${service}`]);
        expect(text).toContain(`service ${service} {`);
      }
    });

    it("sends a file of readings as one client stream, and asks for them", async () => {
      const text = await callWithGrpcurl(
        ["-d", "@", edge.address, "devicemesh.v1.IngestService/PublishReadings"],
        readings,
      );
      expect(json(text)).toEqual({ accepted: "5" });
      const answer = await callWithGrpcurl([
        ...["-d", '{"device_ids":["file-thermostat"]}', edge.address],
        "devicemesh.v1.QueryService/GetAggregates",
      ]);
      expect(json(answer).rows).toMatchObject([{ count: "3", average: 20, minimum: 19, maximum: 21 }]);
    });

    it("watches a server stream until its own deadline", async () => {
      const { stdout, stderr } = await runProgram(grpcurl ?? "", [
        ...["-plaintext", "-max-time", "3", "-d", '{"bucket":"60s"}', edge.address],
        "devicemesh.v1.QueryService/WatchAggregates",
      ]);
      expect(stdout).toContain('"snapshot": true');
      expect(stderr).toContain("DeadlineExceeded");
    });

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

  describe("buf curl", () => {
    const ways = [
      { way: "h1", flags: [], secure: false },
      { way: "h2c", flags: ["--http2-prior-knowledge"], secure: false },
      { way: "TLS h2", flags: [], secure: true },
    ] as const;
    const cases = ways.flatMap(({ way, ...rest }) =>
      (["connect", "grpcweb", "grpc"] as const).map((protocol) => ({ way, protocol, ...rest })),
    );
    // There is no gRPC over HTTP/1.1.
    it.each(cases.filter(({ way, protocol }) => way !== "h1" || protocol !== "grpc"))(
      "asks in $protocol over $way",
      async ({ protocol, flags, secure }) => {
        const address = secure ? `https://localhost:${edge.envoy.public?.port}` : `http://${edge.address}`;
        const trust = secure ? ["--cacert", authorityFile] : [];
        // Reflection is gRPC with two-way streams; over HTTP/1.1 the schema is read from the file.
        const schema = secure || flags.length > 0 ? [] : ["--schema", image];
        const { code, stdout, stderr } = await runProgram(process.execPath, [
          ...[buf, "curl", "--protocol", protocol, ...flags, ...trust, ...schema],
          ...["-d", '{"device_ids":["buf-thermostat"]}'],
          `${address}/devicemesh.v1.QueryService/ListSeries`,
        ]);
        expect([code, stderr]).toEqual([0, ""]);
        expect(json(stdout).coverage).toHaveProperty("completeThrough");
      },
    );
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

  it("buf curl publishes in gRPC and gRPC-Web, and is told that ingest does not take Connect's bytes", async () => {
    for (const protocol of ["grpc", "grpcweb", "connect"]) {
      const { code, stdout, stderr } = await runProgram(process.execPath, [
        ...[buf, "curl", "--protocol", protocol, "--http2-prior-knowledge", "-d", readings],
        `http://${edge.address}/devicemesh.v1.IngestService/PublishReadings`,
      ]);
      if (protocol === "connect") expect(stderr).toContain("415");
      else expect([code, json(stdout)]).toEqual([0, { accepted: "5" }]);
    }
  });
});
