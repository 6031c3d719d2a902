import { setTimeout as delay } from "node:timers/promises";
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
import { openTcpProxy, type TcpProxy } from "../../testing/mesh/tcp-proxy.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();

/** Longer than every session and lease of the pipeline. */
const outageMs = 15_000;

describe.skipIf(engines === undefined)("a network that fails under load", () => {
  const stack = new AsyncDisposableStack();
  let mesh: RealMesh;
  const ways = new Map<string, TcpProxy>();
  beforeAll(async () => {
    const wayTo = async (name: string, address: string): Promise<string> => {
      const proxy = stack.use(await openTcpProxy(address));
      ways.set(name, proxy);
      return proxy.address;
    };
    const database = await wayTo("the database", new URL(engines!.mongodbUrl).host);
    const connect = await wayTo("Kafka Connect", new URL(engines!.connectUrl).host);
    const spark = await wayTo("Spark", engines!.sparkUrl);
    mesh = stack.use(
      await startRealMesh(engines!, "cuts", {
        engines: {
          ...engines!,
          mongodbUrl: `mongodb://${database}/?directConnection=true`,
          connectUrl: `http://${connect}`,
          sparkUrl: spark,
        },
      }),
    );
  }, 300_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const harms = ["the database", "Kafka Connect", "Spark"].flatMap((name): Harm[] =>
    (["cut", "stall"] as const).map((how) => ({
      name: `the way to ${name} (${how})`,
      async harm() {
        const way = ways.get(name)!;
        way[how]();
        try {
          // The passing of time is the fault.
          await delay(outageMs);
        } finally {
          way.restore();
        }
      },
    })),
  );

  it("between services, sinks and the engines, loses nothing, and no answer is wrong meanwhile", {
    timeout: recoveryLimitMs * 10,
  }, async () => {
    const settled = settledReadings("settled-cuts.");
    using publisher = createPublisher(mesh.address);
    await publisher.publish(settled.map(readingOf));
    await mesh.untilSealed();
    const asking = askOverAndOver(mesh, settled);
    const load = startSteadyLoad({ target: mesh.address, prefix: "cuts." });
    try {
      await harmUnderLoad(mesh, load, "cuts.", harms);
    } finally {
      await asking.stop();
    }
    expect(asking.differences).toEqual([]);
    expect(asking.answered).toBeGreaterThan(harms.length);
  });
});
