import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { startFakeMongo } from "@devicemesh/pipeline/testing/mongo-server-fixture";
import { Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { expect, it } from "vitest";
import { configOf } from "../testing/operator-fixture.ts";
import { startOperator } from "./start.ts";

it("an operator logs one line for each engine that it waits for, and connects when their names resolve", async () => {
  using mongoHost = lateHost("mongo-1.example");
  using connectHost = lateHost("connect.example");
  const mongo = await startFakeMongo(0);
  const connect = createServer((_, response) => response.end(`{"version":"4.3.1"}`)).listen(0, "127.0.0.1");
  await once(connect, "listening");
  const { port: connectPort } = connect.address() as AddressInfo;
  const lines: Record<string, unknown>[] = [];
  await using operator = await startOperator(
    configOf({
      kafkaBrokers: ["kafka-1.invalid:9092"],
      connectUrl: `http://${connectHost.name}:${connectPort}`,
      mongodbUrl: `mongodb://${mongoHost.name}:${mongo.port}`,
      database: "start",
      prefix: "start.",
      partitions: 1,
      replication: 1,
    }),
    {
      logger: createLogger({
        name: "operator",
        level: "info",
        destination: { write: (line) => lines.push(JSON.parse(line)) },
      }),
      clock: Date.now,
      image: readContractImage(),
      intervals: { firstMs: 1, retry: { firstMs: 20, longestMs: 200 }, answerMs: 6000 },
    },
  );
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${operator.port}` }));
  const statuses = async () => {
    const { statuses: found } = await client.list({});
    return Object.fromEntries(Object.entries(found).map(([name, { status }]) => [name, status]));
  };
  const [serving, notServing] = [1, 2];
  const reported = (name: string) => lines.filter(({ dependency }) => dependency === name);
  try {
    await waitUntil(() => ["kafka", "kafka-connect", "mongodb"].every((name) => reported(name).length > 0), {
      timeoutMs: 20_000,
      what: "all three are waited for",
    });
    expect(await statuses()).toEqual({
      "": notServing,
      kafka: notServing,
      "kafka-connect": notServing,
      mongodb: notServing,
    });
    mongoHost.appear();
    await waitUntil(async () => (await statuses()).mongodb === serving, {
      timeoutMs: 20_000,
      what: "MongoDB is found",
    });
    expect(await statuses()).toMatchObject({
      "": notServing,
      kafka: notServing,
      "kafka-connect": notServing,
    });
    connectHost.appear();
    await waitUntil(async () => (await statuses())["kafka-connect"] === serving, {
      timeoutMs: 20_000,
      what: "Kafka Connect is found",
    });
    expect(await statuses()).toMatchObject({ "": notServing, kafka: notServing });
    expect(reported("mongodb").map(({ msg }) => msg)).toEqual([
      "waiting for dependency",
      "dependency available",
    ]);
    expect(reported("mongodb")[0]?.reason).toContain("ENOTFOUND mongo-1.example");
    expect(reported("kafka").map(({ reason }) => reason)).toEqual([
      expect.stringContaining("ENOTFOUND kafka-1.invalid"),
    ]);
    expect(reported("kafka-connect").map(({ reason }) => reason)).toEqual([
      expect.stringContaining("ENOTFOUND connect.example"),
      undefined,
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/\\n +at /);
  } finally {
    await mongo.stop();
    connect.close();
  }
});
