import { createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { describe, expect, it } from "vitest";
import { createMemoryWindowJob } from "../testing/memory-window-job.ts";
import { type AggregatorView, createAggregatorService } from "./service.ts";
import { createProgress } from "./status/progress.ts";

const levels = [
  { windowMs: 10_000, segmentMs: 10_000 },
  { windowMs: 600_000, segmentMs: 600_000 },
];
const published = { completeThroughMs: 5000, frontiersMs: [4000, 3000], logEndMs: undefined };
const moment = (seconds: number) => expect.objectContaining({ seconds: BigInt(seconds) });

function ask(view: Partial<AggregatorView>) {
  const whole = {
    active: undefined,
    holder: "other",
    published: undefined,
    levels: [],
    problems: [],
    ...view,
  };
  const transport = createRouterTransport(
    ({ service }) => {
      service(AggregatorService, createAggregatorService({ view: () => whole, clock: () => 9000 }));
    },
    { router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] } },
  );
  return createClient(AggregatorService, transport).getWindowJobStatus({});
}

describe("GetWindowJobStatus", () => {
  it("of a standby returns the leader and its published state", async () => {
    expect(await ask({ published })).toMatchObject({
      active: false,
      holder: "other",
      completeThrough: moment(5),
      frontiers: [moment(4), moment(3)],
      problems: [],
    });
  });

  it("of the leader returns its job, its observations and its problems", async () => {
    const job = createMemoryWindowJob();
    job.report({ batch: 3, rowsDropped: 2 });
    const progress = createProgress({ levels, partitions: 1 }, published, 0);
    progress.observation = { watermarkMs: undefined, completeThroughMs: 7000 };
    const active = {
      progress,
      job,
      lag: () => 11,
      problems: () => [],
      async [Symbol.asyncDispose]() {},
    };
    const answer = await ask({ active, published, holder: "me", problems: ["two messages lost"] });
    expect(answer).toMatchObject({
      active: true,
      holder: "me",
      completeThrough: moment(7),
      frontiers: [moment(4), moment(3)],
      problems: ["two messages lost"],
    });
    expect(answer.windowJob).toMatchObject({ state: "RUNNING", batch: 3n, rowsDropped: 2n, lag: 11n });
  });

  it("returns UNAVAILABLE before anything is known", async () => {
    await expect(ask({ problems: ["waiting for Kafka"] })).rejects.toThrow("waiting for Kafka");
  });
});
