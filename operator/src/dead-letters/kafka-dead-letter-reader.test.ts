import { silentLogger } from "@devicemesh/kit/observability/logger";
import type { Kafka } from "kafkajs";
import { expect, it } from "vitest";
import { startKafkaDeadLetterReader } from "./kafka-dead-letter-reader.ts";

/** A client of Kafka whose consumer fails at one of its steps. */
function kafkaThatFailsTo(step: "connect" | "subscribe" | "run") {
  const called: string[] = [];
  const act = (name: string) => async () => {
    called.push(name);
    if (name === step) throw new Error(`cannot ${name}`);
  };
  const consumer = {
    events: { GROUP_JOIN: "join", CRASH: "crash" },
    on: () => {},
    connect: act("connect"),
    subscribe: act("subscribe"),
    run: act("run"),
    disconnect: act("disconnect"),
  };
  return { called, kafka: { consumer: () => consumer } as unknown as Kafka };
}

it.each(["connect", "subscribe", "run"] as const)(
  "a reader of dead letters that cannot %s is disconnected: another one is started next",
  async (step) => {
    const { called, kafka } = kafkaThatFailsTo(step);
    const starting = startKafkaDeadLetterReader({
      kafka,
      withAdmin: () => Promise.reject(new Error("not used")),
      groupId: "group",
      topics: ["letters"],
      take: async () => {},
      logger: silentLogger(),
    });
    await expect(starting).rejects.toThrow(`cannot ${step}`);
    expect(called.at(-1)).toBe("disconnect");
  },
);
