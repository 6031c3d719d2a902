import type { SensorLookup } from "../readings/sensor-lookup.ts";
import { esphome } from "./presets/esphome.ts";
import { homeAssistant } from "./presets/home-assistant.ts";
import { shelly } from "./presets/shelly.ts";
import { tasmota } from "./presets/tasmota.ts";
import { zigbee2mqtt } from "./presets/zigbee2mqtt.ts";
import { noReadings, type TopicForm, type TopicReadings } from "./topic-message.ts";
import { topicTemplate } from "./topic-template.ts";

/** The presets by name. */
export const topicPresets: Readonly<Record<string, TopicForm>> = {
  zigbee2mqtt,
  tasmota,
  shelly,
  homeassistant: homeAssistant,
  esphome,
};

/** All presets, then the templates for everything else. */
export const topicsByDefault: readonly string[] = [
  ...Object.keys(topicPresets),
  "{device_id}/{sensor}",
  "{device_id}",
];

/** Returns the readings of a published message; none for an unrelated message. */
export type TopicMapping = (message: {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly nowMs: number;
}) => TopicReadings;

/** Maximum size of a message that is read, in bytes; larger ones are not readings. */
const payloadBytesMax = 64 * 1024;

/**
 * Creates the mapping of these presets and templates; the first one that matches a topic decides.
 * @throws RangeError that names the problem of a template.
 */
export function createTopicMapping(entries: readonly string[], lookup: SensorLookup): TopicMapping {
  const forms = entries.map((entry) =>
    Object.hasOwn(topicPresets, entry) ? topicPresets[entry]! : topicTemplate(entry),
  );
  const decoder = new TextDecoder("utf-8", { fatal: true });

  function textOf(payload: Uint8Array): string | undefined {
    try {
      return payload.length > payloadBytesMax ? undefined : decoder.decode(payload);
    } catch {
      return undefined;
    }
  }
  return ({ topic, payload, nowMs }) => {
    const text = topic.startsWith("$") ? undefined : textOf(payload);
    if (text === undefined) return noReadings;
    for (const form of forms) {
      const found = form({ topic, text, nowMs }, lookup);
      if (found !== undefined) return found;
    }
    return noReadings;
  };
}
