import { parseTimestamp } from "../../readings/parse-timestamp.ts";
import { createCollector, noReadings, objectOf, type TopicForm } from "../topic-message.ts";

/**
 * Zigbee2MQTT: `zigbee2mqtt/<friendly name>` with an object of values. The device is the friendly name, the time is
 * `last_seen` if it is published. `voltage` of a battery device is in millivolts. `illuminance_lux` takes precedence
 * over `illuminance`, which older versions publish raw.
 */
export const zigbee2mqtt: TopicForm = ({ topic, text, nowMs }, lookup) => {
  const [, name] = /^zigbee2mqtt\/(.+)$/.exec(topic) ?? [];
  if (name === undefined) return undefined;
  const object = objectOf(text);
  if (object === undefined || /^bridge(\/|$)|\/(set|get|availability)(\/|$)/.test(name)) return noReadings;
  const collector = createCollector({ nowMs });
  const { last_seen: lastSeen } = object;
  const time =
    lastSeen === undefined || lastSeen === null
      ? { kind: "time" as const, ms: nowMs }
      : parseTimestamp(lastSeen);
  if (time.kind === "problem") {
    collector.reject({ field: "last_seen", rule: time.rule, text: time.text });
    return collector.result();
  }
  const isBattery = "battery" in object || "battery_low" in object;
  for (const [field, raw] of Object.entries(object)) {
    if (field === "last_seen" || (field === "illuminance" && "illuminance_lux" in object)) continue;
    const known = lookup.find(field === "illuminance_lux" ? "illuminance" : field);
    if (known === undefined || (typeof raw === "object" && raw !== null)) continue;
    const isMillivolts = known.sensor === "voltage" && isBattery;
    collector.add({ deviceId: name, field, known, timestampMs: time.ms }, raw, (value) =>
      isMillivolts ? value / 1000 : value,
    );
  }
  return collector.result();
};
