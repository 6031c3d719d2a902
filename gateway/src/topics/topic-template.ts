import { idOfName } from "../readings/device-id.ts";
import { parseValue } from "../readings/parse-value.ts";
import { readDocument } from "../readings/read-document.ts";
import { noReadings, objectOf, type TopicForm } from "./topic-message.ts";

const usage =
  "a template has {device_id}, and {sensor} if the payload is a number: sensors/{device_id}/{sensor}";

/**
 * Parses a template such as `{device_id}/{sensor}` (the payload is a number) or `site/{device_id}` (a JSON object,
 * which may also contain the device id). `{device_id}` matches one or more levels, `{sensor}` and `+` exactly one.
 * @throws RangeError that names the problem of the template.
 */
export function topicTemplate(template: string): TopicForm {
  const levels = template.split("/");
  for (const level of levels) {
    if (/[{}#]/.test(level) && level !== "{device_id}" && level !== "{sensor}")
      throw new RangeError(
        `topic template ${JSON.stringify(template)}: ${JSON.stringify(level)} is unknown; ${usage}`,
      );
  }
  const count = (name: string): number => levels.filter((level) => level === name).length;
  if (count("{device_id}") !== 1 || count("{sensor}") > 1)
    throw new RangeError(`topic template ${JSON.stringify(template)}: ${usage}`);
  const pattern = levels
    .map((level) => patterns[level] ?? level.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&"))
    .join("/");
  const matcher = new RegExp(`^${pattern}$`);
  const hasSensor = count("{sensor}") === 1;

  return ({ topic, text, nowMs }, lookup) => {
    const groups = matcher.exec(topic)?.groups;
    const device = groups?.device;
    if (device === undefined) return undefined;
    const deviceId = idOfName(device);
    if (!hasSensor) {
      const object = objectOf(text);
      return object && readDocument(object, { lookup, nowMs, deviceId });
    }
    const name = groups?.sensor ?? "";
    const known = lookup.find(name);
    const parsed = parseValue(text, known);
    // A text under the name of a sensor is a mistake to report; under another name it is ignored.
    if (parsed.kind === "problem") {
      if (known === undefined || objectOf(text) !== undefined) return undefined;
      return { readings: [], rejected: [{ field: name, rule: "value.number", text: parsed.text }] };
    }
    if (parsed.kind === "missing") return noReadings;
    return {
      readings: [{ deviceId, sensor: known?.sensor ?? name, timestampMs: nowMs, value: parsed.value }],
      rejected: [],
    };
  };
}

const patterns: Readonly<Record<string, string>> = {
  "{device_id}": "(?<device>[^/]+(?:/[^/]+)*)",
  "{sensor}": "(?<sensor>[^/]+)",
  "+": "[^/]*",
};
