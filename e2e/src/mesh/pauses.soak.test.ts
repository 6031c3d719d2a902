import { setTimeout as delay } from "node:timers/promises";
import { engineControl } from "@devicemesh/engines";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  askOverAndOver,
  type Harm,
  harmUnderLoad,
  recoveryLimitMs,
  settledReadings,
} from "../../testing/mesh/harm-under-load.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

/**
 * How long a part is stopped, as by a virtual machine that is moved: longer than every session, lease and request
 * timeout of the pipeline (the longest are those of the clients of Kafka, 30 s).
 */
const pauseMs = 60_000;

const services = (["ingest", "query", "aggregator", "operator"] as const).map((name) => ({
  name,
  harm: (mesh: RealMesh) => paused(mesh.services.get(name).processId),
}));
const engineParts = (
  [
    ["one broker of three", "kafka-3"],
    ["the Connect worker", "connect"],
    ["the database", "mongo"],
    ["the Spark driver", "spark"],
  ] as const
).map(([name, engine]) => ({
  name,
  async harm() {
    const status = await engineControl(engines!.folder).status();
    await paused(status.find((each) => each.name === engine)?.processId);
  },
}));
/** Two tests, so that each can be run alone: together they take a quarter of an hour. */
const groups: readonly { readonly group: string; readonly parts: readonly Harm[] }[] = [
  { group: "services", parts: services },
  { group: "engines", parts: engineParts },
];

/** Stops a process and its group with SIGSTOP for a while. */
async function paused(processId: number | undefined): Promise<void> {
  if (processId === undefined) throw new Error("the part does not run");
  process.kill(-processId, "SIGSTOP");
  try {
    // The passing of time is the fault.
    await delay(pauseMs);
  } finally {
    process.kill(-processId, "SIGCONT");
  }
}

describe.skipIf(engines === undefined)("parts that hang for a minute, under load", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "pauses");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it.each(groups)(
    "lose no acknowledged reading, store none twice, and no answer is wrong meanwhile: $group",
    {
      timeout: recoveryLimitMs * 10,
    },
    async ({ group, parts }) => {
      const settled = settledReadings(`settled-${group}.`);
      using publisher = createPublisher(mesh.address);
      await publisher.publish(settled.map(readingOf));
      await mesh.untilSealed();
      const asking = askOverAndOver(mesh, settled);
      const load = startSteadyLoad({ target: mesh.address, prefix: `${group}.` });
      try {
        await harmUnderLoad(mesh, load, `${group}.`, parts);
      } finally {
        await asking.stop();
      }
      expect(asking.differences).toEqual([]);
      expect(asking.answered).toBeGreaterThan(parts.length);
    },
  );
});
