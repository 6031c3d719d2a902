import type { SensorLookup } from "../readings/sensor-lookup.ts";
import { esphome } from "./presets/esphome.ts";
import { homeAssistant } from "./presets/home-assistant.ts";
import { shelly } from "./presets/shelly.ts";
import { tasmota } from "./presets/tasmota.ts";
import { zigbee2mqtt } from "./presets/zigbee2mqtt.ts";
import { noReadings, type TopicForm, type TopicReadings } from "./topic-message.ts";
import { topicTemplate } from "./topic-template.ts";

/** The forms that have a name. */
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

/** The readings of a published message; none for a message of another purpose. */
export type TopicMapping = (message: {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly nowMs: number;
}) => TopicReadings;

/** The most bytes of a message that is read; larger ones are of another purpose. */
const payloadBytesMax = 64 * 1024;

/**
 * The mapping of these presets and templates; the first that fits a topic decides.
 * @throws RangeError that names what is wrong with a template.
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
