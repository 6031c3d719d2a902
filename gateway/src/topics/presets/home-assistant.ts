import { namedSensorOf } from "../named-sensor.ts";
import { createCollector, noReadings, type TopicForm } from "../topic-message.ts";

/**
 * Home Assistant's `mqtt_statestream` with the base topic `homeassistant` or `statestream`:
 * `<base>/sensor/<object>/state` and `<base>/binary_sensor/<object>/state`. The sensor is at the end of the object's
 * name; the device is the part before it, or `home` if there is none. Values are in the units of the catalog: set Home
 * Assistant to the metric system. Attributes and other entities are not readings.
 */
export const homeAssistant: TopicForm = ({ topic, text, nowMs }, lookup) => {
  const [, rest] = /^(?:homeassistant|statestream)\/(.+)$/.exec(topic) ?? [];
  if (rest === undefined) return undefined;
  const [, object] = /^(?:sensor|binary_sensor)\/([^/]+)\/state$/.exec(rest) ?? [];
  const named = object === undefined ? undefined : namedSensorOf(object, lookup);
  if (object === undefined || named === undefined) return noReadings;
  const collector = createCollector({ nowMs });
  collector.add(
    { deviceId: named.place === "" ? "home" : named.place, field: object, known: named.known },
    text,
  );
  return collector.result();
};
