import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { ErrorInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { describe, expect, it } from "vitest";
import { type ExecutePlanRequest, SparkConnectService } from "../../gen/spark/connect/base_pb.ts";
import { createSparkClient } from "./spark-client.ts";
import { appendTo, streamFrom } from "./spark-relations.ts";

const run = { id: "11111111-1111-1111-1111-111111111111", runId: "22222222-2222-2222-2222-222222222222" };

/** A server that implements Spark Connect's protocol, and a client of it. */
async function served(
  spark: Partial<ServiceImpl<typeof SparkConnectService>>,
  token?: string,
  deadlines = { askMs: 30_000, startMs: 30_000, stopMs: 30_000 },
) {
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: connectNodeAdapter({ routes: (router) => router.service(SparkConnectService, spark) }),
    shutdownGraceMs: 0,
    onClosing: () => undefined,
    onError: () => undefined,
  });
  const client = createSparkClient({
    address: `127.0.0.1:${server.port}`,
    sessionId: "33333333-3333-3333-3333-333333333333",
    userId: "devicemesh",
    token,
    deadlines,
  });
  return {
    client,
    port: server.port,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** An error in Spark's format. */
function sparks(message: string, reason = "java.lang.IllegalStateException"): ConnectError {
  const info = create(ErrorInfoSchema, { reason, domain: "org.apache.spark" });
  return new ConnectError(message, Code.Internal, undefined, [{ desc: ErrorInfoSchema, value: info }]);
}

describe("the client of Spark Connect", () => {
  it("sends the session of its user", async () => {
    const seen: string[] = [];
    await using spark = await served({
      analyzePlan({ sessionId, userContext, analyze }) {
        seen.push(sessionId, userContext?.userId ?? "", analyze.case ?? "");
        return { result: { case: "sparkVersion", value: { version: "4.1.2" } } };
      },
    });
    expect(await spark.client.sparkVersion()).toBe("4.1.2");
    expect(seen).toEqual(["33333333-3333-3333-3333-333333333333", "devicemesh", "sparkVersion"]);
  });

  it("connects to a server whose name resolves later", async () => {
    using host = lateHost("spark.example");
    await using spark = await served({
      analyzePlan: () => ({ result: { case: "sparkVersion", value: { version: "4.1.2" } } }),
    });
    const sessionId = "33333333-3333-3333-3333-333333333333";
    await using client = createSparkClient({
      address: `${host.name}:${spark.port}`,
      sessionId,
      userId: "devicemesh",
    });
    for (const _ of [1, 2]) {
      await expect(client.sparkVersion()).rejects.toMatchObject({
        kind: "unavailable",
        message: expect.stringContaining("ENOTFOUND spark.example"),
      });
    }
    host.appear();
    expect(await client.sparkVersion()).toBe("4.1.2");
  });

  it("presents the configured token, and none without one", async () => {
    const seen: (string | null)[] = [];
    const spark: Partial<ServiceImpl<typeof SparkConnectService>> = {
      analyzePlan(_, { requestHeader }) {
        seen.push(requestHeader.get("authorization"));
        return {};
      },
    };
    await using known = await served(spark, "secret");
    await using unknown = await served(spark);
    await known.client.sparkVersion();
    await unknown.client.sparkVersion();
    expect(seen).toEqual(["Bearer secret", null]);
  });

  it("waits as long for a session that Spark is making as for the start of a query", async () => {
    const cold = Promise.withResolvers<void>();
    const deadlines = { askMs: 50, startMs: 60_000, stopMs: 50 };
    await using spark = await served(
      {
        async analyzePlan() {
          await cold.promise;
          return { result: { case: "sparkVersion", value: { version: "4.1.2" } } };
        },
        async config() {
          await cold.promise;
          return {};
        },
        async *executePlan() {
          await cold.promise;
          yield {};
        },
      },
      undefined,
      deadlines,
    );
    const first = [
      spark.client.sparkVersion(),
      spark.client.configure({ "spark.sql.session.timeZone": "UTC" }),
    ];
    // The deadline of a question has passed when this one is given up.
    await expect(spark.client.activeQueries()).rejects.toMatchObject({ kind: "unavailable" });
    cold.resolve();
    expect(await Promise.all(first)).toEqual(["4.1.2", undefined]);
  });

  it("configures the session", async () => {
    const seen: unknown[] = [];
    await using spark = await served({
      config({ operation }) {
        const set = operation?.opType.value;
        seen.push(...(set?.pairs.map(({ key, value }) => [key, value]) ?? []));
        return {};
      },
    });
    await spark.client.configure({ "spark.sql.session.timeZone": "UTC" });
    expect(seen).toEqual([["spark.sql.session.timeZone", "UTC"]]);
  });

  it("starts a query", async () => {
    const seen: ExecutePlanRequest[] = [];
    await using spark = await served({
      async *executePlan(request) {
        seen.push(request);
        yield { responseType: { case: "writeStreamOperationStartResult", value: { queryId: run } } };
        // Other messages, such as metrics, are not read.
        yield {};
      },
    });
    const query = appendTo(streamFrom("rate", {}), {
      format: "kafka",
      options: { topic: "w" },
      queryName: "q",
      triggerMs: 5,
    });
    expect(await spark.client.startQuery(query)).toEqual(run);
    const command = seen[0]?.plan?.opType.value?.commandType;
    expect(command).toEqual({ case: "writeStreamOperationStart", value: query });
  });

  it("returns the progress of a query by its run id", async () => {
    await using spark = await served({
      async *executePlan({ plan }) {
        const command = plan?.opType.value?.commandType;
        if (command?.case !== "streamingQueryCommand") throw new Error("something else");
        expect(command.value.queryId).toMatchObject(run);
        const resultType = {
          status: { case: "status", value: { isActive: true } },
          lastProgress: { case: "recentProgress", value: { recentProgressJson: ["{}"] } },
          exception: { case: "exception", value: {} },
        }[command.value.command.case as string] as never;
        yield { responseType: { case: "streamingQueryCommandResult", value: { resultType } } };
      },
    });
    expect(await spark.client.isActive(run)).toBe(true);
    expect(await spark.client.lastProgress(run)).toBe("{}");
    expect(await spark.client.failure(run)).toBeUndefined();
  });

  it.each([
    ["failed", sparks("no such folder"), "java.lang.IllegalStateException: no such folder"],
    ["queryNotFound", sparks(`[INTERNAL_ERROR] Streaming query ${run.id} is not found`), "is not found"],
    ["unavailable", new ConnectError("bye", Code.Unavailable), "Spark does not answer"],
    ["unavailable", new ConnectError("cut", Code.Internal), "Spark does not answer"],
    ["failed", new ConnectError("no such call", Code.Unimplemented), "no such call"],
    [
      "failed",
      new ConnectError("Invalid token", Code.Unauthenticated),
      "set --spark-token to its SPARK_CONNECT_AUTHENTICATE_TOKEN",
    ],
  ])("returns an error of kind %s", async (kind, error, message) => {
    await using spark = await served({
      executePlan() {
        throw error;
      },
    });
    await expect(spark.client.stopQuery(run)).rejects.toMatchObject({
      name: "SparkError",
      kind,
      message: expect.stringContaining(message),
    });
  });

  it("has a deadline", async () => {
    const never = { analyzePlan: () => new Promise<never>(() => undefined) };
    await using spark = await served(never, undefined, { askMs: 300, startMs: 300, stopMs: 300 });
    await expect(spark.client.sparkVersion()).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("reports an unreachable server as unavailable", async () => {
    const spark = createSparkClient({
      address: "127.0.0.1:9",
      sessionId: "33333333-3333-3333-3333-333333333333",
      userId: "devicemesh",
    });
    await expect(spark.activeQueries()).rejects.toMatchObject({ kind: "unavailable" });
    await spark[Symbol.asyncDispose]();
  });
});
