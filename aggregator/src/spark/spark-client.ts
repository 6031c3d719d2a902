import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createClientSessions } from "@devicemesh/kit/rpc/client-sessions";
import {
  type ExecutePlanResponse,
  SparkConnectService,
  type UserContext,
  UserContextSchema,
} from "../../gen/spark/connect/base_pb.ts";
import {
  type CommandSchema,
  type StreamingQueryCommandResult,
  StreamingQueryCommandSchema,
  type WriteStreamOperationStart,
} from "../../gen/spark/connect/commands_pb.ts";
import { SparkError, toSparkError } from "./spark-error.ts";

/** A run of a query, from one start. A start from the same checkpoint keeps `id` and has another `runId`. */
export type QueryRun = { readonly id: string; readonly runId: string };

/** The reason why a query ended. */
export type QueryFailure = { readonly message: string; readonly stackTrace: string };

/**
 * One session of Spark Connect. Queries belong to the session and not to the connection: a client that reconnects with
 * the same session finds them. Every call has a deadline and rejects with SparkError.
 */
export type SparkClient = AsyncDisposable & {
  /** Returns the version of Spark, which also proves that it is ready. */
  sparkVersion(): Promise<string>;
  /** Changes settings of the session; they apply to queries that are started later. */
  configure(settings: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when the query runs. If the call is cut, the query may run: look for it among the active ones. */
  startQuery(query: WriteStreamOperationStart): Promise<QueryRun>;
  activeQueries(): Promise<readonly { readonly run: QueryRun; readonly name: string }[]>;
  isActive(run: QueryRun): Promise<boolean>;
  /** Returns the newest progress as Spark's JSON; undefined before the first batch of the run. */
  lastProgress(run: QueryRun): Promise<string | undefined>;
  /** Returns the newest hundred, the oldest first. */
  recentProgress(run: QueryRun): Promise<readonly string[]>;
  /** Returns undefined if the query did not fail. */
  failure(run: QueryRun): Promise<QueryFailure | undefined>;
  /** Returns the physical plan of the last batch, as text for users. */
  explain(run: QueryRun): Promise<string>;
  /** Resolves when the query is stopped; it can be started again from its checkpoint. */
  stopQuery(run: QueryRun): Promise<void>;
};

/**
 * The deadlines of calls to Spark, in ms. A busy server is slow to start and stop queries, a cold one even slower. The
 * first calls of a session have `startMs` too: Spark makes the session then, and a call that is given up must be made
 * again. The connection's pings find a server that is gone before.
 */
export const sparkDeadlines = { askMs: 10_000, startMs: 180_000, stopMs: 60_000 } as const;

/** Creates a client. It connects with the first call, and again after each loss of the connection. */
export function createSparkClient(options: {
  /** host:port of Spark Connect. */
  readonly address: string;
  /** Connect over TLS; PEM of the CA, those of Node if left out. Cleartext if undefined. */
  readonly tls?: { readonly ca?: string } | undefined;
  /** A UUID; fixed, so that the next process finds the queries of this one. */
  readonly sessionId: string;
  readonly userId: string;
  /** The token that the server requires (`SPARK_CONNECT_AUTHENTICATE_TOKEN` there); none if undefined. */
  readonly token?: string | undefined;
  readonly deadlines?: { readonly askMs: number; readonly startMs: number; readonly stopMs: number };
}): SparkClient {
  const { address, tls, sessionId, userId, token, deadlines = sparkDeadlines } = options;
  const baseUrl = `${tls ? "https" : "http"}://${address}`;
  // A ping detects a server that disappears without closing the connection before the deadline does.
  const sessionManager = createClientSessions(baseUrl, { pingIntervalMs: 10_000, pingTimeoutMs: 5000 }, tls);
  const interceptors = token === undefined ? [] : [bearer(token)];
  const client = createClient(
    SparkConnectService,
    createGrpcTransport({ baseUrl, sessionManager, interceptors }),
  );
  const userContext: UserContext = create(UserContextSchema, { userId });
  const closing = new AbortController();

  async function execute(
    command: MessageInitShape<typeof CommandSchema>["commandType"],
    timeoutMs: number,
  ): Promise<ExecutePlanResponse["responseType"]> {
    let result: ExecutePlanResponse["responseType"] = { case: undefined };
    try {
      const request = {
        sessionId,
        userContext,
        plan: { opType: { case: "command" as const, value: { commandType: command } } },
      };
      const responses = client.executePlan(request as never, { timeoutMs, signal: closing.signal });
      for await (const { responseType } of responses) {
        // Other messages, such as metrics, come in between.
        if (responseType.case) result = responseType;
      }
    } catch (error) {
      throw toSparkError(error);
    }
    return result;
  }

  async function ask(
    run: QueryRun,
    flag: "status" | "lastProgress" | "recentProgress" | "stop" | "exception",
    timeoutMs: number = deadlines.askMs,
  ): Promise<StreamingQueryCommandResult["resultType"]> {
    const value = create(StreamingQueryCommandSchema, {
      queryId: run,
      command: { case: flag, value: true },
    });
    const result = await execute({ case: "streamingQueryCommand", value }, timeoutMs);
    return result.case === "streamingQueryCommandResult" ? result.value.resultType : { case: undefined };
  }

  async function progressOf(run: QueryRun, flag: "lastProgress" | "recentProgress"): Promise<string[]> {
    const result = await ask(run, flag);
    return result.case === "recentProgress" ? result.value.recentProgressJson : [];
  }

  return {
    async sparkVersion() {
      try {
        const analyze = { case: "sparkVersion" as const, value: {} };
        const { result } = await client.analyzePlan(
          { sessionId, userContext, analyze },
          { timeoutMs: deadlines.startMs, signal: closing.signal },
        );
        return result.value?.version ?? "";
      } catch (error) {
        throw toSparkError(error);
      }
    },
    async configure(settings) {
      const pairs = Object.entries(settings).map(([key, value]) => ({ key, value }));
      const operation = { opType: { case: "set" as const, value: { pairs } } };
      try {
        await client.config(
          { sessionId, userContext, operation },
          { timeoutMs: deadlines.startMs, signal: closing.signal },
        );
      } catch (error) {
        throw toSparkError(error);
      }
    },
    async startQuery(query) {
      const result = await execute({ case: "writeStreamOperationStart", value: query }, deadlines.startMs);
      const queryId = result.case === "writeStreamOperationStartResult" ? result.value.queryId : undefined;
      if (!queryId)
        throw new SparkError("failed", "Spark did not return the id of the query that it started");
      return { id: queryId.id, runId: queryId.runId };
    },
    async activeQueries() {
      const command = { command: { case: "active" as const, value: true } };
      const result = await execute({ case: "streamingQueryManagerCommand", value: command }, deadlines.askMs);
      if (result.case !== "streamingQueryManagerCommandResult") return [];
      const { resultType } = result.value;
      const queries = resultType.case === "active" ? resultType.value.activeQueries : [];
      return queries.flatMap(({ id, name }) =>
        id ? [{ run: { id: id.id, runId: id.runId }, name: name ?? "" }] : [],
      );
    },
    async isActive(run) {
      const result = await ask(run, "status");
      return result.case === "status" && result.value.isActive;
    },
    lastProgress: async (run) => (await progressOf(run, "lastProgress"))[0],
    recentProgress: (run) => progressOf(run, "recentProgress"),
    async failure(run) {
      const result = await ask(run, "exception");
      if (result.case !== "exception" || result.value.exceptionMessage === undefined) return undefined;
      const { exceptionMessage, stackTrace = "" } = result.value;
      return { message: exceptionMessage, stackTrace };
    },
    async explain(run) {
      const value = create(StreamingQueryCommandSchema, {
        queryId: run,
        command: { case: "explain", value: {} },
      });
      const result = await execute({ case: "streamingQueryCommand", value }, deadlines.askMs);
      const isExplained = result.case === "streamingQueryCommandResult";
      const answer = isExplained ? result.value.resultType : undefined;
      return answer?.case === "explain" ? answer.value.result : "";
    },
    async stopQuery(run) {
      await ask(run, "stop", deadlines.stopMs);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      sessionManager.abort();
    },
  };
}

function bearer(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
