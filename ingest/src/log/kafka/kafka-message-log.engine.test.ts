import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { describe } from "vitest";
import { type TestTopic, testTopic } from "../../../testing/kafka-topic-fixture.ts";
import { describeMessageLog, type MessageLogHarness } from "../../../testing/message-log.contract.ts";
import { createKafkaMessageLog } from "./kafka-message-log.ts";

const engines = await testEngines();

describe.skipIf(!engines)("on real brokers", () => {
  const brokers = engines?.kafkaBrokers ?? [];

  describeMessageLog("the Kafka log", async () => {
    const topic = testTopic({ brokers, replicas: engines?.brokers ?? 1 });
    await topic.create();
    return openLog(topic);
  });

  function openLog(topic: TestTopic): MessageLogHarness {
    const log = createKafkaMessageLog({ brokers, topic: topic.topic });
    return {
      log,
      readAll: () => topic.readAll(),
      // The log itself keeps nothing: a dead process leaves only the readings that it has sent.
      reopen: async () => {
        await log.close();
        return openLog(topic);
      },
      close: closeOnce(async () => {
        await log.close();
        await topic.remove();
      }),
    };
  }
});
