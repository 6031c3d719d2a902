import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type OperatorStatusDocument } from "@devicemesh/pipeline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, goodRecord } from "../testing/mesh-fixture.ts";
import {
  append,
  configOf,
  healthOf,
  startQuickOperator as start,
  untilHealth,
} from "../testing/operator-fixture.ts";
import { type MeshOptions, meshDefinition, removeMesh } from "../testing/prepare-mesh.ts";
import { MeshRefusedError } from "./definition/difference.ts";
import { planMesh } from "./definition/plan.ts";
import { type MeshEngines, openEngines } from "./mesh-engines.ts";
import type { Operator } from "./start.ts";

const given = await testEngines();

describe.skipIf(!given)("the operator", () => {
  let options: MeshOptions;
  let engines: MeshEngines;
  let operator: Operator;
  let health: () => Promise<"SERVING" | "NOT_SERVING">;

  beforeAll(async () => {
    options = freshMesh(given!);
    engines = openEngines(options, options.database);
    operator = await start(configOf(options));
    health = healthOf(operator);
  });

  afterAll(async () => {
    await operator?.close();
    await operator?.close();
    await engines?.[Symbol.asyncDispose]();
    if (options) await removeMesh(options);
  });

  const status = () =>
    engines.db.collection<OperatorStatusDocument>(collections.status).findOne({ _id: "operator" });

  const becomes = (wanted: "SERVING" | "NOT_SERVING"): Promise<void> => untilHealth(health, wanted);

  it("makes the mesh, serves, and reports its state", async () => {
    await becomes("SERVING");
    expect(await planMesh(configOf(options))).toMatchObject({ exitCode: 0 });
    await waitUntil(
      async () => (await status())?.connectors.every(({ tasks }) => tasks.length === 2) === true,
      { timeoutMs: 30_000, what: "all tasks have started" },
    );
    expect(await status()).toMatchObject({
      connectors: [{ state: "RUNNING" }, { state: "RUNNING" }],
      dead_letter_lag: 0,
    });
  });

  it("exits with 3 and lists the differences", async () => {
    const { text, exitCode } = await planMesh({ ...configOf(options), retainLog: 86_400_000 });
    expect(exitCode).toBe(3);
    expect(text).toContain("retention.ms: 604800000 -> 86400000");
    expect(await planMesh(configOf(options))).toMatchObject({ exitCode: 0 });
  });

  it("does not serve while an index is missing, and creates it again", async () => {
    const seen: string[] = [];
    await engines.db.collection(collections.messages).dropIndex("time_series");
    await waitUntil(
      async () => {
        seen.push(await health());
        const missing = seen.includes("NOT_SERVING");
        return missing && seen.at(-1) === "SERVING";
      },
      { timeoutMs: 30_000, what: "health falls and rises again" },
    );
    expect((await planMesh(configOf(options))).exitCode).toBe(0);
  });

  it("creates a removed connector again", async () => {
    const { messages } = meshDefinition(options).names.connectors;
    await engines.rest.remove(messages);
    await becomes("NOT_SERVING");
    await becomes("SERVING");
    expect((await engines.rest.readState(messages))?.state).toBe("RUNNING");
  });

  it("does not serve while a sink is stuck, and serves when it continues", async () => {
    const { connectors, topics } = meshDefinition(options).names;
    await engines.rest.stop(connectors.messages);
    await append(engines, topics.messages, [goodRecord("a", 1)]);
    await waitUntil(
      async () => (await status())?.problems.some((text) => text.includes("is stuck")) === true,
      {
        timeoutMs: 30_000,
        what: "the sink is reported as stuck",
      },
    );
    expect(await health()).toBe("NOT_SERVING");
    expect((await status())?.connectors[0]).toMatchObject({ lag: 1, state: "STOPPED" });
    await engines.rest.resume(connectors.messages);
    await becomes("SERVING");
    expect(await engines.db.collection(collections.messages).countDocuments()).toBe(1);
  });

  it("reports a rejected partial as a problem", async () => {
    const { topics } = meshDefinition(options).names;
    await append(engines, topics.windows, [{ key: "poison", value: "poison" }]);
    await becomes("NOT_SERVING");
    expect((await status())?.problems.join()).toContain("were rejected by the sink");
    await engines.db.collection(collections.deadLetters).deleteMany({ topic: topics.windows });
    await becomes("SERVING");
  });

  it("does not start on a mesh of other windows, and frees its port", async () => {
    await expect(start({ ...configOf(options), window: 5000 })).rejects.toThrow(MeshRefusedError);
    await expect(start({ ...configOf(options), window: 5000 })).rejects.toThrow("--window 10000ms");
  });

  it("fails when it finds a mesh of other windows after it has listened for a while", async () => {
    await using refused = await start({ ...configOf(options), window: 5000 }, { firstMs: 1 });
    await expect(refused.failed).rejects.toThrow(MeshRefusedError);
  });
});
