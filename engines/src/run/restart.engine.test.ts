import { describe, expect, it } from "vitest";
import { testEngines } from "../../testing/test-engines.ts";
import { clusterMetadata } from "../readiness/kafka-metadata.ts";
import { engineControl } from "./start-engines.ts";

const engines = await testEngines();

describe.skipIf(engines === undefined)("the engines of a test run", () => {
  const statesOf = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await engineControl(engines!.folder).status()).map(({ name, state }) => [name, state]),
    );

  it("are all ready, and each of three brokers knows the others", async () => {
    expect(await statesOf()).toEqual({
      "kafka-1": "ready",
      "kafka-2": "ready",
      "kafka-3": "ready",
      connect: "ready",
      mongo: "ready",
      spark: "ready",
    });
    for (const broker of engines!.kafkaBrokers) {
      const [host, port] = broker.split(":");
      const { brokers } = await clusterMetadata({ host: host!, port: Number(port), limitMs: 5000 });
      expect([...brokers].sort()).toEqual([1, 2, 3]);
    }
  });

  it.each(["kafka-2", "connect", "mongo", "spark"])(
    "%s is killed by another process, reported as stopped, and answers again on the same address",
    async (name) => {
      const addressOf = async () =>
        (await engineControl(engines!.folder).status()).find((engine) => engine.name === name)?.address;
      const before = await addressOf();
      await engines!.kill(name);
      expect((await statesOf())[name]).toBe("stopped");
      await engines!.start(name);
      expect((await statesOf())[name]).toBe("ready");
      expect(await addressOf()).toBe(before);
    },
  );

  it("rejects an unknown engine, and lists the known ones", async () => {
    await expect(engines!.kill("kafka-4")).rejects.toThrow(/no engine kafka-4; it has kafka-1, kafka-2/);
  });
});
