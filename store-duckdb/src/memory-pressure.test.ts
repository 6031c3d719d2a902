import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { expect, it } from "vitest";
import { countAll, createLoad } from "../testing/full-disk-load.ts";
import { openRecoveringStore } from "./recovering-store.ts";

const firstMs = Date.UTC(2026, 0, 1);
/** Far too little for several large queries at a time. */
const memoryMib = 10;
const unitReadings = 20_000;
const units = 30;
const refusalsEnough = 5;

/** Sends large queries, several at a time, until it is stopped; returns the errors of rejected ones. */
function askMuch(client: ReturnType<typeof clientOf>) {
  const refusals: string[] = [];
  let isStopped = false;
  const questions = [
    () => client.getAggregates({ groupBy: GroupBy.SERIES, since: protoTimestamp(firstMs + 1) }),
    () =>
      client.listBuckets({
        groupBy: GroupBy.SERIES,
        resolution: { case: "bucket", value: { seconds: 10n } },
        since: protoTimestamp(firstMs),
        to: protoTimestamp(firstMs + unitReadings * units * 10),
      }),
  ];
  const asking = Array.from({ length: 12 }, async (_, place) => {
    while (!isStopped) {
      await questions[place % questions.length]!().catch((error: unknown) => {
        const { code, rawMessage } = ConnectError.from(error);
        refusals.push(`${Code[code]}: ${rawMessage}`);
      });
    }
  });
  return {
    refusals,
    async stop() {
      isStopped = true;
      await Promise.all(asking);
    },
  };
}

function clientOf(store: Awaited<ReturnType<typeof openRecoveringStore>>) {
  const transport = createRouterTransport(queryRoutes({ store: store.readings, clock: Date.now }), {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  return createClient(QueryService, transport);
}

it("a store with too little memory for large queries rejects them with the reason, loses no acknowledged reading, and continues", {
  timeout: 300_000,
}, async () => {
  using folder = temporaryFolder();
  await using store = await openRecoveringStore({ folder: folder.path, clock: Date.now, memoryMib });
  const client = clientOf(store);
  const next = createLoad(unitReadings);
  const rejections: unknown[] = [];
  let acknowledged = 0;
  let waiting = next();
  const appendNext = async () => {
    await store.log.append(waiting);
    acknowledged += waiting.length;
    waiting = next();
  };

  const asking = askMuch(client);
  for (let unit = 0; unit < units && rejections.length < refusalsEnough; ) {
    await appendNext().then(
      () => unit++,
      (error: unknown) => rejections.push(error),
    );
  }
  await asking.stop();
  for (const rejection of rejections) {
    expect(rejection).toBeInstanceOf(RpcError);
    expect(rejection).toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("memory of the store"),
    });
  }
  expect(asking.refusals.length).toBeGreaterThan(0);
  for (const refusal of asking.refusals) expect(refusal).toMatch(/^ResourceExhausted: memory of the store/);

  expect(await countAll(store)).toBe(acknowledged);
  for (let unit = 0; unit < 3; unit++) await appendNext();
  expect(await countAll(store)).toBe(acknowledged);
  const { rows } = await client.getAggregates({ groupBy: GroupBy.SERIES });
  expect(rows.reduce((sum, { count }) => sum + Number(count), 0)).toBe(acknowledged);
});
