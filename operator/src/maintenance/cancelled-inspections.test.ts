import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { meshDefinition } from "../../testing/prepare-mesh.ts";
import { type SilentServer, startSilentServer } from "../../testing/silent-server-fixture.ts";
import { openEngines } from "../mesh-engines.ts";
import { operatorIntervals } from "../start.ts";
import { createInspection } from "./inspection.ts";
import { createMaintenance } from "./maintenance.ts";
import { createMongoOperatorStore } from "./mongo-operator-store.ts";

const nowhere = "127.0.0.1:1";

function openMaintenance(silent: { readonly kafka?: SilentServer; readonly connect?: SilentServer }) {
  const at = (server: SilentServer | undefined) => (server ? `127.0.0.1:${server.port}` : nowhere);
  const options = {
    kafkaBrokers: [at(silent.kafka)],
    connectUrl: `http://${at(silent.connect)}`,
    mongodbUrl: `mongodb://${nowhere}`,
    database: "none",
    prefix: "none.",
  };
  const engines = openEngines(options, options.database);
  const maintenance = createMaintenance({
    engines,
    mesh: meshDefinition(options),
    store: createMongoOperatorStore(engines.db),
    intervals: { ...operatorIntervals, answerMs: 200 },
    now: () => performance.now(),
    logger: silentLogger(),
  });
  return { maintenance, [Symbol.asyncDispose]: () => engines[Symbol.asyncDispose]() };
}

it.each(["kafka", "connect"] as const)(
  "a round that %s does not answer leaves no request behind",
  async (engine) => {
    await using server = await startSilentServer();
    await using test = openMaintenance({ [engine]: server });
    const { problems } = await test.maintenance.run(new AbortController().signal);
    expect(server.taken).toBeGreaterThan(0);
    expect(problems.join("\n")).toContain("no answer within 200 ms");
    await waitUntil(() => server.open === 0, { timeoutMs: 5000, what: "the connections are closed" });
  },
);

it("an inspection ends when the operator stops, even if an engine does not answer", async () => {
  await using server = await startSilentServer();
  await using test = openMaintenance({ kafka: server, connect: server });
  const stopping = new AbortController();
  const running = test.maintenance.run(stopping.signal);
  await waitUntil(() => server.taken > 0);
  stopping.abort(new Error("stopping"));
  expect((await running).problems.join("\n")).toContain("stopping");
  await waitUntil(() => server.open === 0, { timeoutMs: 5000, what: "the connections are closed" });
});

it("no other inspection begins during a repair", async () => {
  const repairing = Promise.withResolvers<void>();
  let inspected = 0;
  let applied = 0;
  const inspection = createInspection({
    async inspect() {
      inspected++;
      return [
        {
          what: "index a",
          difference: inspected === 1 ? ({ kind: "create" } as const) : ({ kind: "same" } as const),
          apply() {
            applied++;
            return repairing.promise;
          },
        },
      ];
    },
    everyMs: 0,
    logger: silentLogger(),
  });
  const cancelled = new AbortController();
  const first = inspection.run(0, false, cancelled.signal);
  await waitUntil(() => applied === 1);
  cancelled.abort();
  await inspection.run(1000, true);
  expect([inspected, applied]).toEqual([1, 1]);
  repairing.resolve();
  expect(await first).toEqual(["index a is missing"]);
  expect(await inspection.run(2000, false)).toEqual([]);
  expect(applied).toBe(1);
});
