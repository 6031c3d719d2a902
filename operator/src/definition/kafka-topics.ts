import { setTimeout as delay } from "node:timers/promises";
import kafkajs, { type Admin } from "kafkajs";
import type { WithAdmin } from "../kafka-admin.ts";
import { leaderWaitMs } from "../limits.ts";
import { changedSettings, differenceOf, type Part } from "./difference.ts";
import { minInsyncReplicas, type TopicDefinition } from "./topic-definitions.ts";

/** Number of the configuration source "set for this topic" in the response of DescribeConfigs. */
const dynamicTopicSource = 1;

/** Compares the topics with their desired state. Reads only. */
export async function inspectTopics(
  withAdmin: WithAdmin,
  definitions: readonly TopicDefinition[],
  signal?: AbortSignal,
): Promise<Part[]> {
  return await withAdmin(async (admin) => {
    const there = new Set(await admin.listTopics());
    return await Promise.all(
      definitions.map((definition) =>
        there.has(definition.topic)
          ? inspectTopic(admin, withAdmin, definition)
          : missingTopic(withAdmin, definition),
      ),
    );
  }, signal);
}

/** Deletes those of the topics that exist. */
export async function deleteTopics(withAdmin: WithAdmin, topics: readonly string[]): Promise<void> {
  await withAdmin(async (admin) => {
    const there = new Set(await admin.listTopics());
    const found = topics.filter((topic) => there.has(topic));
    if (found.length > 0) await admin.deleteTopics({ topics: found });
  });
}

/** Deletes those of the consumer groups that exist and have no members. */
export async function deleteGroups(withAdmin: WithAdmin, groupIds: readonly string[]): Promise<void> {
  await withAdmin(async (admin) => {
    const { groups } = await admin.describeGroups([...groupIds]);
    const idle = groups.filter(({ state }) => state === "Empty").map(({ groupId }) => groupId);
    if (idle.length > 0) await admin.deleteGroups(idle);
  });
}

function missingTopic(withAdmin: WithAdmin, definition: TopicDefinition): Part {
  const { topic, partitions, replication, settings } = definition;
  return {
    what: whatOf(definition),
    difference: { kind: "create" },
    async apply() {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await withAdmin(async (admin) => {
        await admin.createTopics({
          waitForLeaders: false,
          timeout: leaderWaitMs,
          topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
        });
        await untilLed(admin, { topic, partitions });
      });
    },
  };
}

/**
 * Resolves when every partition of a new topic has a leader. The contacted broker may not know the topic yet, because
 * another broker created it; kafkajs's own wait treats that as a failure.
 * @throws the last error, or Error after 15 s.
 */
async function untilLed(
  admin: Pick<Admin, "fetchTopicMetadata">,
  { topic, partitions }: Pick<TopicDefinition, "topic" | "partitions">,
): Promise<void> {
  const deadlineMs = performance.now() + leaderWaitMs;
  for (;;) {
    let problem: unknown = new Error(`the partitions of ${topic} have no leaders after ${leaderWaitMs} ms`);
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const led = topics[0]?.partitions.filter(({ leader }) => leader >= 0) ?? [];
      if (led.length === partitions) return;
    } catch (error) {
      if (!notYetTypes.has(String((error as { type?: unknown }).type))) throw error;
      problem = error;
    }
    if (performance.now() > deadlineMs) throw problem;
    await delay(leaderPollMs);
  }
}

/** The errors of a broker that does not know a new topic, or its leaders, yet. */
const notYetTypes: ReadonlySet<string> = new Set(["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE"]);

const leaderPollMs = 100;

async function inspectTopic(admin: Admin, withAdmin: WithAdmin, definition: TopicDefinition): Promise<Part> {
  const { topic, partitions, replication } = definition;
  const what = whatOf(definition);
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  const found = metadata.topics[0]?.partitions ?? [];
  if (found.length !== partitions) {
    return unchangeable(
      what,
      "refused",
      `it has ${found.length} partitions and --partitions is ${partitions}. The number is part of the window ` +
        `job's checkpoint and of where each device's messages are: use --partitions ${found.length}, or ` +
        "another --topic-prefix and --mongodb-database",
    );
  }
  const replicas = Math.min(...found.map((partition) => partition.replicas.length));
  const own = await topicSettings(admin, topic);
  // If more in-sync replicas were required than there are replicas, no write would succeed.
  const wanted = { ...definition.settings, "min.insync.replicas": `${minInsyncReplicas(replicas)}` };
  const difference = differenceOf(changedSettings(own.all, wanted));
  if (difference.kind === "same" && replicas !== replication) {
    return unchangeable(
      what,
      "left",
      `it is on ${replicas} brokers and --replication is ${replication}: kafka-reassign-partitions.sh changes that`,
    );
  }
  return {
    what,
    difference,
    async apply() {
      // A change replaces all settings of the topic, so the others are passed along.
      const all = Object.entries({ ...own.setHere, ...wanted });
      const configEntries = all.map(([name, value]) => ({ name, value }));
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries };
      await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources: [resource] }));
    },
  };
}

/** Returns all settings of a topic, and those that are set for the topic itself. */
async function topicSettings(
  admin: Admin,
  topic: string,
): Promise<{ readonly all: Record<string, string>; readonly setHere: Record<string, string> }> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]?.configEntries ?? [];
  const record = (some: typeof entries): Record<string, string> =>
    Object.fromEntries(some.map(({ configName, configValue }) => [configName, configValue]));
  return {
    all: record(entries),
    setHere: record(entries.filter(({ configSource }) => Number(configSource) === dynamicTopicSource)),
  };
}

function unchangeable(what: string, kind: "left" | "refused", text: string): Part {
  return { what, difference: { kind, text }, apply: () => Promise.resolve() };
}

function whatOf({ topic }: TopicDefinition): string {
  return `topic ${topic}`;
}
