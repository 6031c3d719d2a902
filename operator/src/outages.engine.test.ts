import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type OperatorStatusDocument } from "@devicemesh/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GateFixture, openGate } from "../testing/gate-fixture.ts";
import { freshMesh, goodRecord } from "../testing/mesh-fixture.ts";
import { append, configOf, healthOf, startQuickOperator, untilHealth } from "../testing/operator-fixture.ts";
import { type MeshOptions, meshDefinition, removeMesh } from "../testing/prepare-mesh.ts";
import { type MeshEngines, openEngines } from "./mesh-engines.ts";
import type { Operator } from "./start.ts";

const given = await testEngines();

describe.skipIf(!given)("an operator whose engines become unavailable and recover", () => {
  let gates: { readonly mongodb: GateFixture; readonly connect: GateFixture };
  let direct: MeshOptions;
  let engines: MeshEngines;
  let operator: Operator;
  let health: () => Promise<"SERVING" | "NOT_SERVING">;

  beforeAll(async () => {
    direct = freshMesh(given!);
    engines = openEngines(direct, direct.database);
    gates = {
      mongodb: await openGate(new URL(direct.mongodbUrl).host),
      connect: await openGate(new URL(direct.connectUrl).host),
    };
    for (const gate of Object.values(gates)) gate.shut();
    const guarded = {
      ...direct,
      // Two seconds instead of the sinks' thirty, because the test waits for tasks to fail.
      mongodbUrl: `mongodb://${gates.mongodb.address}/?directConnection=true&serverSelectionTimeoutMS=2000`,
      connectUrl: `http://${gates.connect.address}`,
    };
    operator = await startQuickOperator(configOf(guarded), { firstMs: 500 });
    health = healthOf(operator);
  });

  afterAll(async () => {
    await operator?.close();
    for (const gate of Object.values(gates ?? {})) await gate[Symbol.asyncDispose]();
    await engines?.[Symbol.asyncDispose]();
    if (direct) await removeMesh(direct);
  });

  const status = () =>
    engines.db.collection<OperatorStatusDocument>(collections.status).findOne({ _id: "operator" });

  it("listens and does not serve while they are unavailable, and makes the mesh when they are available", async () => {
    expect(await health()).toBe("NOT_SERVING");
    gates.mongodb.open();
    expect(await health()).toBe("NOT_SERVING");
    gates.connect.open();
    await untilHealth(health, "SERVING");
  });

  it("does not serve while Kafka Connect is unavailable, and reports it", async () => {
    gates.connect.shut();
    await untilHealth(health, "NOT_SERVING");
    await waitUntil(
      async () => (await status())?.problems.some((text) => text.startsWith("connector ")) === true,
    );
    gates.connect.open();
    await untilHealth(health, "SERVING");
    expect((await status())?.problems).toEqual([]);
  });

  it("restarts the tasks that failed while the database was unavailable, and nothing is lost", async () => {
    const { topics } = meshDefinition(direct).names;
    gates.mongodb.shut();
    await append(
      engines,
      topics.messages,
      Array.from({ length: 300 }, (_, n) => goodRecord("a", n)),
    );
    await untilHealth(health, "NOT_SERVING");
    const { messages } = meshDefinition(direct).names.connectors;
    await waitUntil(
      async () =>
        (await engines.rest.readState(messages))?.tasks.some(({ state }) => state === "FAILED") === true,
      { timeoutMs: 60_000, what: "a task has failed" },
    );
    gates.mongodb.open();
    await untilHealth(health, "SERVING");
    await waitUntil(
      async () => (await engines.db.collection(collections.messages).countDocuments()) === 300,
      { timeoutMs: 60_000, what: "everything is stored" },
    );
    expect((await status())?.connectors[0]?.restarts).toBeGreaterThan(0);
    expect(await engines.db.collection(collections.deadLetters).countDocuments({ kind: "invalid" })).toBe(0);
  });
});
