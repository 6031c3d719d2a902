import { namedSensorOf } from "../named-sensor.ts";
import { createCollector, noReadings, type TopicForm } from "../topic-message.ts";

/**
 * ESPHome: `<node>/sensor/<object>/state` with a number and `<node>/binary_sensor/<object>/state` with ON or OFF. The
 * sensor is at the end of the object's name; the part before it belongs to the device id: `node/living_room`. Values
 * are in the units of the catalog.
 */
export const esphome: TopicForm = ({ topic, text, nowMs }, lookup) => {
  const [, node, object] = /^(.+)\/(?:sensor|binary_sensor)\/([^/]+)\/state$/.exec(topic) ?? [];
  if (node === undefined || object === undefined) return undefined;
  const named = namedSensorOf(object, lookup);
  if (named === undefined) return noReadings;
  const collector = createCollector({ nowMs });
  const deviceId = named.place === "" ? node : `${node}/${named.place}`;
  collector.add({ deviceId, field: object, known: named.known }, text);
  return collector.result();
};
