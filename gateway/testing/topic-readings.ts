import { createTopicMapping, topicsByDefault } from "../src/topics/topic-mapping.ts";
import { testLookup } from "./test-lookup.ts";

/** The time of receipt of all messages. */
export const nowMs = Date.UTC(2026, 10, 23, 12);

/** The mapping of the default topics. */
export const read = createTopicMapping(topicsByDefault, testLookup);

/** Returns a payload: a text as it is, anything else as JSON. */
export const payloadOf = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

/**
 * Returns the readings of a message as `device|sensor|value`, with the time if it is not that of receipt.
 * @throws Error if a part of the message is rejected.
 */
export function readingsOf(topic: string, payload: unknown, mapping = read): readonly string[] {
  const { readings, rejected } = mapping({ topic, payload: payloadOf(payload), nowMs });
  if (rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(rejected)}`);
  return readings.map(({ deviceId, sensor, value, timestampMs }) => {
    const time = timestampMs === nowMs ? "" : `|${new Date(timestampMs).toISOString()}`;
    return `${deviceId}|${sensor}|${value}${time}`;
  });
}
