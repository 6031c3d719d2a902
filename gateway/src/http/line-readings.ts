import type { LinePoint, LinePrecision } from "@devicemesh/kit/line-protocol/line-protocol";
import { createLineProtocolReader } from "@devicemesh/kit/line-protocol/line-protocol-reader";
import { idOfName } from "../readings/device-id.ts";
import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";
import { parseValue } from "../readings/parse-value.ts";
import type { SensorLookup } from "../readings/sensor-lookup.ts";

/** How points are converted to readings. */
export type LineMapping = {
  readonly lookup: SensorLookup;
  /** The current time in ms since 1970, which lines without a timestamp get. */
  readonly nowMs: number;
  readonly precision: LinePrecision;
  /**
   * Tags that name the device; the first tag of the list that a line has counts. Tags joined with `+` name it together.
   */
  readonly deviceTags: readonly string[];
};

/** The readings of a body, each with its line, and the lines and fields that break a rule (`index` is the line). */
export type LineReadings = {
  readonly readings: readonly (GatewayReading & { readonly field: string; readonly line: number })[];
  readonly rejected: readonly RejectedValue[];
};

/**
 * Reads line protocol. The sensor is the field's name, or the measurement's if the field is called `value`. Texts are
 * ignored; numbers of unknown sensors keep their name, and ingest decides about them. Pure.
 */
export function readLines(text: string, mapping: LineMapping): LineReadings {
  const readings: (GatewayReading & { field: string; line: number })[] = [];
  const rejected: RejectedValue[] = [];
  const reader = createLineProtocolReader({
    precision: mapping.precision,
    onPoint: (point) => take(point),
    onProblem: ({ line, column, text }) =>
      rejected.push({
        index: line,
        field: "",
        rule: "line.form",
        text: `line ${line}, column ${column}: ${text}`,
      }),
  });
  function take(point: LinePoint): void {
    const { line, timestampMs = mapping.nowMs } = point;
    const deviceId = deviceOf(point, mapping.deviceTags);
    if (deviceId === undefined) {
      const tags = mapping.deviceTags.join(", ");
      const text = `line ${line}: no tag names the device: add one of ${tags}, or name it with --line-device-tags`;
      rejected.push({ index: line, field: "device_id", rule: "required", text });
      return;
    }
    for (const field of point.fields) {
      const name = field.key === "value" ? point.measurement : field.key;
      const known = mapping.lookup.find(name);
      if (known === undefined && field.kind !== "number") continue;
      const parsed = parseValue(field.value, known);
      if (parsed.kind === "problem") {
        const text = `line ${line}: ${field.key}: ${parsed.text}`;
        rejected.push({ index: line, field: field.key, rule: "value.number", text });
      }
      if (parsed.kind !== "value") continue;
      readings.push({
        line,
        field: field.key,
        deviceId: idOfName(deviceId),
        sensor: known?.sensor ?? name,
        timestampMs,
        value: parsed.value,
      });
    }
  }
  reader.push(text);
  reader.end();
  return { readings, rejected };
}

function deviceOf({ tags }: LinePoint, deviceTags: readonly string[]): string | undefined {
  for (const names of deviceTags) {
    const values = names.split("+").map((name) => tags.find(({ key }) => key === name)?.value);
    if (values.every((value) => value !== undefined)) return values.join("/");
  }
  return undefined;
}
