import { randomUUID } from "node:crypto";
import type { QueryRun } from "../src/spark/spark-client.ts";
import { SparkError } from "../src/spark/spark-error.ts";
import type { StreamingQuery } from "../src/spark/spark-relations.ts";
import type { WindowSession } from "../src/window-job/window-job-query.ts";

/** Spark in memory, for the window job, controlled by a test. */
export type MemorySession = WindowSession & {
  /** While set, every call rejects with this error. */
  trouble: SparkError | undefined;
  /** While true, calls do not end. */
  isStuck: boolean;
  /** All queries that were started, the oldest first. */
  readonly queries: MemoryQuery[];
  /** Adds a query that another client has started. */
  addQuery(name: string): MemoryQuery;
  /** The session of a restarted server: it knows no query. */
  forget(): void;
};

/** A query in memory. */
export type MemoryQuery = {
  readonly run: QueryRun;
  readonly name: string;
  readonly plan: StreamingQuery | undefined;
  isActive: boolean;
  failure: { readonly message: string; readonly stackTrace: string } | undefined;
  /** The JSON of each batch. */
  readonly progress: string[];
};

/** Makes an empty session. */
export function createMemorySession(): MemorySession {
  let known: MemoryQuery[] = [];
  const queries: MemoryQuery[] = [];

  async function called<T>(answer: () => T): Promise<T> {
    if (session.isStuck) await new Promise(() => undefined);
    if (session.trouble) throw session.trouble;
    return answer();
  }

  function queryOf(run: QueryRun): MemoryQuery {
    const found = known.find((query) => query.run.runId === run.runId);
    if (!found) throw new SparkError("queryNotFound", `Streaming query ${run.runId} is not found`);
    return found;
  }

  function add(name: string, plan: StreamingQuery | undefined): MemoryQuery {
    const run = { id: randomUUID(), runId: randomUUID() };
    const query: MemoryQuery = { run, name, plan, isActive: true, failure: undefined, progress: [] };
    known.push(query);
    queries.push(query);
    return query;
  }

  const session: MemorySession = {
    trouble: undefined,
    isStuck: false,
    queries,
    addQuery: (name) => add(name, undefined),
    forget() {
      known = [];
    },
    sparkVersion: () => called(() => "4.1.2"),
    configure: () => called(() => undefined),
    startQuery: (plan) => called(() => add(plan.queryName, plan).run),
    activeQueries: () => called(() => known.filter(({ isActive }) => isActive)),
    isActive: (run) => called(() => queryOf(run).isActive),
    lastProgress: (run) => called(() => queryOf(run).progress.at(-1)),
    recentProgress: (run) => called(() => queryOf(run).progress.slice(-100)),
    failure: (run) => called(() => queryOf(run).failure),
    stopQuery: (run) =>
      called(() => {
        queryOf(run).isActive = false;
      }),
  };
  return session;
}
