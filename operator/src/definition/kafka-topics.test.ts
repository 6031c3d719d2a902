import type { Admin } from "kafkajs";
import { describe, expect, it } from "vitest";
import type { WithAdmin } from "../kafka-admin.ts";
import { inspectTopics } from "./kafka-topics.ts";

const definition = { topic: "new", partitions: 2, replication: 1, settings: {} };

/** Kafka's error of a type, in the form that kafkajs throws. */
const kafkaError = (type: string): Error => Object.assign(new Error(type), { type });

/** An admin client of brokers that give these answers about a new topic, one after the other. */
function adminAnswering(answers: readonly (readonly number[] | Error)[]) {
  let asked = 0;
  const admin = {
    listTopics: async () => [],
    createTopics: async () => true,
    async fetchTopicMetadata() {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      if (answer instanceof Error) throw answer;
      return { topics: [{ name: "new", partitions: answer.map((leader) => ({ leader })) }] };
    },
  } as unknown as Admin;
  const withAdmin: WithAdmin = (ask) => ask(admin);
  return { withAdmin, asked: () => asked };
}

async function create(withAdmin: WithAdmin): Promise<void> {
  const [part] = await inspectTopics(withAdmin, [definition as never]);
  await part?.apply?.();
}

describe("a new topic", () => {
  it("is awaited while brokers do not know it, or its leaders, yet", async () => {
    const { withAdmin, asked } = adminAnswering([
      kafkaError("UNKNOWN_TOPIC_OR_PARTITION"),
      kafkaError("LEADER_NOT_AVAILABLE"),
      [1],
      [1, -1],
      [1, 2],
    ]);
    await create(withAdmin);
    expect(asked()).toBe(5);
  });

  it("fails for any other reason at once", async () => {
    const { withAdmin } = adminAnswering([kafkaError("TOPIC_AUTHORIZATION_FAILED")]);
    await expect(create(withAdmin)).rejects.toThrow("TOPIC_AUTHORIZATION_FAILED");
  });
});
