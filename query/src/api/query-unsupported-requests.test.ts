import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { answerOf, enveloped, openHttp2 } from "@devicemesh/kit/testing/http2-fixture";
import { connectTo, readToClose } from "@devicemesh/kit/testing/socket-fixture";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import {
  GetAggregatesRequestSchema,
  GetAggregatesResponseSchema,
  QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature, transportsOf } from "../../testing/query-fixture.ts";

const getAggregates = "/devicemesh.v1.QueryService/GetAggregates";
const watchAggregates = "/devicemesh.v1.QueryService/WatchAggregates";
const readings = [temperature("a", -20_000, 20), temperature("a", -10_000, 24)];

/** The parts of a body of gRPC-Web, each with its flag. */
function partsOf(body: Buffer): { readonly flag: number; readonly bytes: Buffer }[] {
  if (body.length === 0) return [];
  const end = 5 + body.readUInt32BE(1);
  return [{ flag: body[0]!, bytes: body.subarray(5, end) }, ...partsOf(body.subarray(end))];
}

/** Decodes base64 whose pieces are padded separately. */
function decode(text: string): Buffer {
  return Buffer.concat(text.split(/(?<==)(?=[^=])/).map((piece) => Buffer.from(piece, "base64")));
}

describe("gRPC-Web in base64", () => {
  const request = enveloped(
    toBinary(GetAggregatesRequestSchema, create(GetAggregatesRequestSchema, { groupBy: GroupBy.SENSOR })),
  );
  it.each([
    ["as one piece", request.toString("base64")],
    [
      "as two pieces with padding",
      `${request.subarray(0, 4).toString("base64")}${request.subarray(4).toString("base64")}`,
    ],
    ["with a line break", `${request.toString("base64")}\n`],
  ])("is answered in base64: %s", async (_, body) => {
    await using running = await startTestQuery();
    running.memory.append(readings);
    const response = await fetch(`${running.baseUrl}${getAggregates}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text", "x-grpc-web": "1" },
      body,
    });
    expect(response.headers.get("content-type")).toBe("application/grpc-web-text+proto");
    const [message, trailer] = partsOf(decode(await response.text()));
    expect(fromBinary(GetAggregatesResponseSchema, message!.bytes).rows).toMatchObject([
      { count: 2n, sum: 44 },
    ]);
    expect(trailer).toMatchObject({ flag: 0x80 });
    expect(trailer!.bytes.toString()).toContain("grpc-status: 0");
  });

  it("streams each message as soon as it is available", async () => {
    await using running = await startTestQuery();
    running.memory.append(readings);
    const left = new AbortController();
    const response = await fetch(`${running.baseUrl}${watchAggregates}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text+proto" },
      body: enveloped(new Uint8Array()).toString("base64"),
      signal: left.signal,
    });
    const { value } = await response.body!.getReader().read();
    expect(partsOf(decode(Buffer.from(value!).toString("latin1")))).toMatchObject([{ flag: 0 }]);
    left.abort();
  });

  it("is rejected if it is not base64", async () => {
    await using running = await startTestQuery();
    const response = await fetch(`${running.baseUrl}${getAggregates}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web-text" },
      body: "AAAA*AAA",
    });
    const [trailer] = partsOf(decode(await response.text()));
    expect(trailer!.bytes.toString()).toContain("grpc-status: 3");
    expect(decodeURIComponent(trailer!.bytes.toString())).toContain("not base64");
  });
});

describe("an RPC that query does not have", () => {
  const addressOf = (service: string) => (service === IngestService.typeName ? "127.0.0.1:50051" : undefined);
  const elsewhere =
    "devicemesh.v1.IngestService is not served at this address; it is served at 127.0.0.1:50051";

  it("is UNIMPLEMENTED in gRPC and gRPC-Web, with the right address", async () => {
    await using running = await startTestQuery({ dependencies: { addressOf } });
    const { baseUrl } = running;
    for (const transport of [
      createGrpcTransport({ baseUrl }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    ]) {
      const client = createClient(IngestService, transport);
      const error = await client.publishReadingBatch({}).catch(ConnectError.from);
      expect(error).toMatchObject({ code: Code.Unimplemented, rawMessage: elsewhere });
    }
  });

  it("has no body before its status in gRPC, which some clients treat as a broken stream", async () => {
    await using running = await startTestQuery({ dependencies: { addressOf } });
    using connection = openHttp2(running.baseUrl);
    const stream = connection.open({
      ":path": "/devicemesh.v1.IngestService/PublishReadings",
      "content-type": "application/grpc",
    });
    const { headers, trailers } = await answerOf(stream);
    expect(headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
    expect(trailers).toEqual({});
  });

  it("lists the services there if the address is unknown, and the methods of a service", async () => {
    await using running = await startTestQuery();
    const post = (path: string, type: string) =>
      fetch(`${running.baseUrl}${path}`, { method: "POST", headers: { "content-type": type }, body: "" });
    const other = await post("/a.b.C/D", "application/grpc-web+proto");
    expect(other.headers.get("grpc-status")).toBe("12");
    expect(decodeURI(other.headers.get("grpc-message")!)).toContain("serves devicemesh.v1.QueryService");
    const method = await post("/devicemesh.v1.QueryService/GetAggregate", "application/grpc-web");
    expect(decodeURI(method.headers.get("grpc-message")!)).toMatch(
      /^devicemesh.v1.QueryService has no method GetAggregate; it has GetAggregates, /,
    );
  });

  it("is 404 with the error as JSON in Connect, and stays a page for browsers", async () => {
    await using running = await startTestQuery({ dependencies: { addressOf } });
    const { baseUrl } = running;
    const client = createClient(IngestService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
    const error = await client.publishReadingBatch({}).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.Unimplemented, rawMessage: elsewhere });
    const got = await fetch(`${baseUrl}/devicemesh.v1.IngestService/PublishReadingBatch`);
    expect(got.status).toBe(404);
  });
});

describe("a request that no protocol understands", () => {
  it.each([
    [getAggregates, undefined, "no content-type", "application/json"],
    [getAggregates, "text/plain", 'content-type "text/plain"', "application/json"],
    [watchAggregates, "application/json", 'content-type "application/json"', "application/connect+json"],
  ])("is answered with the form that is required: %s as %s", async (path, type, sent, right) => {
    await using running = await startTestQuery();
    const response = await fetch(`${running.baseUrl}${path}`, {
      method: "POST",
      headers: type === undefined ? {} : { "content-type": type },
      body: Buffer.from("{}"),
    });
    expect(response.status).toBe(415);
    expect(response.headers.get("accept-post")).toContain(right);
    const { code, message } = (await response.json()) as { code: string; message: string };
    expect(code).toBe("invalid_argument");
    expect(message).toContain(sent);
    expect(message).toContain(right);
  });

  it("is answered with the HTTP method that the RPC requires", async () => {
    await using running = await startTestQuery();
    const response = await fetch(`${running.baseUrl}${watchAggregates}`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await response.text()).toContain("use POST");
  });

  it("is 403 if it names another host without authentication, because a web page may have that name (DNS rebinding)", async () => {
    await using running = await startTestQuery();
    const socket = await connectTo(running.query.port);
    socket.write(
      `POST ${getAggregates} HTTP/1.1\r\nhost: attacker.example\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    const text = await readToClose(socket);
    expect(text).toMatch(/^HTTP\/1.1 403/);
    expect(text).toContain("permission_denied");
  });

  it("is 400 if its Host is malformed", async () => {
    await using running = await startTestQuery();
    const socket = await connectTo(running.query.port);
    socket.write(
      `POST ${getAggregates} HTTP/1.1\r\nhost: [\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(await readToClose(socket)).toMatch(/^HTTP\/1.1 400/);
  });
});

describe("a deadline beyond the range of a timer", () => {
  const timeoutMs = 30 * 86_400_000;
  for (const [place, [name]] of transportsOf("http://127.0.0.1:0").entries()) {
    it(`does not end a call at once: ${name}`, async () => {
      await using running = await startTestQuery();
      running.memory.append(readings);
      const [, transport] = transportsOf(running.baseUrl)[place]!;
      const client = createClient(QueryService, transport);
      const headers = { "grpc-timeout": "99999999H", "connect-timeout-ms": String(timeoutMs) };
      expect((await client.getAggregates({}, { headers })).rows).toHaveLength(1);
      for await (const message of client.watchAggregates({}, { headers })) {
        expect(message.snapshot).toBe(true);
        break;
      }
    });
  }
});
