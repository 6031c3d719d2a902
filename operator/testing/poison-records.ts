/** A record of the messages topic that ingest would never write, and its expected treatment. */
export type PoisonRecord = {
  /** Description of the fault. */
  readonly name: string;
  readonly key: string | null;
  readonly value: string | Uint8Array | null;
  /**
   * - stored: it is treated as valid, and the window job must count it
   * - dead letter: the raw sink rejects it; the stage names where
   * - passed over: like a tick, neither stored nor rejected
   */
  readonly outcome: "stored" | "dead letter" | "passed over";
  /** The stage that rejects it, as Kafka Connect names it. */
  readonly stage?: "VALUE_CONVERTER" | "TRANSFORMATION" | "TASK_PUT";
};

/** The series and time of the invalid records; the milliseconds distinguish them. */
export const poisonSeries = {
  deviceId: "poisoned",
  sensor: "temperature",
  startMs: Date.UTC(2026, 10, 23, 20),
};

/**
 * Records that must neither stop the sink nor affect records beside them; their order does not matter. Each has its own
 * identity, if it has one. For tests of the raw sink and of its agreement with the window job.
 */
export function poisonRecords(): readonly PoisonRecord[] {
  let next = 0;
  /** A record with the fields of a valid message and the given changes; undefined leaves a field out. */
  function record(
    name: string,
    outcome: PoisonRecord["outcome"],
    changes: {
      readonly key?: (identity: string) => string | null;
      readonly fields?: Readonly<Record<string, unknown>>;
      readonly text?: (json: string, time: string) => string | Uint8Array | null;
    },
    stage?: PoisonRecord["stage"],
  ): PoisonRecord {
    const time = new Date(poisonSeries.startMs + next++).toISOString();
    const { deviceId, sensor } = poisonSeries;
    const identity = `${deviceId}|${sensor}|${time}`;
    const json = JSON.stringify({
      device_id: deviceId,
      sensor,
      timestamp: time,
      value: 21.5,
      ...changes.fields,
    });
    return {
      name,
      key: changes.key ? changes.key(identity) : identity,
      value: changes.text ? changes.text(json, time) : json,
      outcome,
      ...(stage && { stage }),
    };
  }
  const refused = (
    stage: PoisonRecord["stage"],
    name: string,
    changes: Parameters<typeof record>[2],
  ): PoisonRecord => record(name, "dead letter", changes, stage);
  return [
    // Treated as valid.
    record("a whole number as value", "stored", { fields: { value: 21 } }),
    record("a value with an exponent", "stored", { text: (json) => json.replace("21.5", "2.15E+1") }),
    record("a field more", "stored", { fields: { unit: "K", nested: { a: [1, { b: null }] } } }),
    record("a field that begins with $", "stored", { fields: { $where: "1", "$set.x": 2 } }),
    record("a field with a dot", "stored", { fields: { "a.b": 1 } }),
    record("an _id in the value", "stored", { fields: { _id: "other" } }),
    record("white space around", "stored", { text: (json) => `\n  ${json}\t ` }),
    record("a field twice, of which the last counts", "stored", {
      text: (json) => json.replace("{", '{"value":99,'),
    }),
    record("escapes for letters", "stored", { text: (json) => json.replace("poisoned", "p\\u006fisoned") }),
    record("a sensor that is not known yet", "stored", {
      key: (identity) => identity.replace("temperature", "radon_2"),
      fields: { sensor: "radon_2" },
    }),
    // Not JSON.
    refused("VALUE_CONVERTER", "no JSON at all", { text: () => "poison" }),
    refused("VALUE_CONVERTER", "JSON that ends early", { text: (json) => json.slice(0, -5) }),
    refused("VALUE_CONVERTER", "bytes that are not text", {
      text: () => new Uint8Array([0xc3, 0x28, 0xff, 0]),
    }),
    refused("VALUE_CONVERTER", "single quotes", { text: (json) => json.replaceAll('"', "'") }),
    refused("VALUE_CONVERTER", "NaN as value", { text: (json) => json.replace("21.5", "NaN") }),
    refused("VALUE_CONVERTER", "Infinity as value", { text: (json) => json.replace("21.5", "-Infinity") }),
    refused("VALUE_CONVERTER", "a comma after the last field", { text: (json) => json.replace("}", ",}") }),
    refused("VALUE_CONVERTER", "a comment", { text: (json) => `/* x */${json}` }),
    refused("VALUE_CONVERTER", "names without quotes", { text: (json) => json.replace('"value"', "value") }),
    // JSON, but not an object.
    record("an empty value", "passed over", { text: () => "" }),
    record("the JSON null", "passed over", { text: () => "null" }),
    record("a tombstone with an identity", "passed over", { text: () => null }),
    record("a tombstone with another key", "passed over", { key: () => "tock", text: () => null }),
    record("a tombstone without a key", "passed over", { key: () => null, text: () => null }),
    refused("TRANSFORMATION", "an array", { text: (json) => `[${json}]` }),
    refused("TRANSFORMATION", "a text", { text: () => '"21.5"' }),
    refused("TRANSFORMATION", "a number", { text: () => "21.5" }),
    // Times.
    refused("TRANSFORMATION", "a time without milliseconds", {
      fields: { timestamp: "2026-11-23T20:00:00Z" },
    }),
    refused("TRANSFORMATION", "a day", { fields: { timestamp: "2026-11-23" } }),
    refused("TASK_PUT", "an object as time", {
      fields: { timestamp: { $date: { $numberLong: "1795460400000" } } },
    }),
    refused("TASK_PUT", "another time than in the key, as a number", { fields: { timestamp: 1 } }),
    refused("TASK_PUT", "another time than in the key", {
      fields: { timestamp: "2026-11-23T21:00:00.000Z" },
    }),
    refused("TASK_PUT", "no time", { fields: { timestamp: undefined } }),
    refused("TASK_PUT", "null as time", { fields: { timestamp: null } }),
    // Values.
    refused("TASK_PUT", "a value as text", { fields: { value: "21.5" } }),
    refused("TASK_PUT", "a value that is too large for a number", {
      text: (json) => json.replace("21.5", "1e999"),
    }),
    refused("TASK_PUT", "a value past the numbers that are whole", { fields: { value: 1e300 } }),
    refused("TASK_PUT", "a whole number of twenty digits", {
      text: (json) => json.replace("21.5", "12345678901234567890"),
    }),
    refused("TASK_PUT", "true as value", { fields: { value: true } }),
    refused("TASK_PUT", "null as value", { fields: { value: null } }),
    refused("TASK_PUT", "an object as value", { fields: { value: { $numberDouble: "21.5" } } }),
    refused("TASK_PUT", "a number deep in the value", { fields: { value: { value: 21.5, "": 21.5 } } }),
    refused("TASK_PUT", "a number under an empty name", {
      fields: { "": { value: 21.5 }, value: undefined },
    }),
    refused("TASK_PUT", "an array as value", { fields: { value: [21.5] } }),
    refused("TASK_PUT", "no value", { fields: { value: undefined } }),
    // Names.
    refused("TASK_PUT", "no device", { fields: { device_id: undefined } }),
    refused("TASK_PUT", "a number as device", { fields: { device_id: 7 } }),
    refused("TASK_PUT", "an empty device", {
      key: (id) => id.replace("poisoned", ""),
      fields: { device_id: "" },
    }),
    refused("TASK_PUT", "a device with the separator", {
      key: (identity) => identity.replace("poisoned", "poi|soned"),
      fields: { device_id: "poi|soned" },
    }),
    refused("TASK_PUT", "a device of 129 characters", {
      key: (identity) => identity.replace("poisoned", "d".repeat(129)),
      fields: { device_id: "d".repeat(129) },
    }),
    refused("TASK_PUT", "another device than in the key", { fields: { device_id: "poisoned-2" } }),
    refused("TASK_PUT", "no sensor", { fields: { sensor: undefined } }),
    refused("TASK_PUT", "another sensor than in the key", { fields: { sensor: "pressure" } }),
    refused("TASK_PUT", "an empty sensor", {
      key: (identity) => identity.replace("temperature", ""),
      fields: { sensor: "" },
    }),
    refused("TASK_PUT", "a device that is not ASCII", {
      key: (identity) => identity.replace("poisoned", "gerät"),
      fields: { device_id: "gerät" },
    }),
    refused("TASK_PUT", "an object without fields", { text: () => "{}" }),
    // Keys.
    refused("TASK_PUT", "no key", { key: () => null }),
    refused("TASK_PUT", "an empty key", { key: () => "" }),
    refused("TASK_PUT", "a key that is not an identity", { key: () => "tick" }),
    refused("TASK_PUT", "white space in the key", { key: (identity) => `${identity} ` }),
    // Values that the two readers of the topic may interpret differently.
    record("a time with an offset in minutes", "stored", {
      text: (json, time) => json.replace(time, time.replace("Z", "+00")),
    }),
    record("letters after the time", "stored", { text: (json, time) => json.replace(time, `${time}!`) }),
    record("a time as a number", "stored", {
      text: (json, time) => json.replace(`"${time}"`, `${Date.parse(time)}`),
    }),
    record("a leading zero", "stored", { text: (json) => json.replace("21.5", "021.5") }),
    record("more after the object", "stored", { text: (json) => `${json} more` }),
    // In the form of ingest, which the window job reads without a parser.
    record("the form of ingest", "stored", { text: (_, time) => ingestText(time, "-21.5e-1") }),
    record("white space before the last brace", "stored", { text: (_, time) => ingestText(time, "21.5 ") }),
    record("a brace more", "stored", { text: (_, time) => `${ingestText(time, "21.5")}}` }),
    record("a value twice, of which the last counts", "stored", {
      text: (_, time) => ingestText(time, '99,"value":21.5'),
    }),
    record("a field after the value", "stored", { text: (_, time) => ingestText(time, '21.5,"unit":5') }),
    refused("VALUE_CONVERTER", "no last brace", { text: (_, time) => ingestText(time, "21.5").slice(0, -1) }),
    refused("VALUE_CONVERTER", "a number of Java", { text: (_, time) => ingestText(time, "21.5d") }),
    refused("VALUE_CONVERTER", "NaN in the form of ingest", { text: (_, time) => ingestText(time, "NaN") }),
    record("UTF-16", "stored", { text: (json) => Buffer.from(json, "utf16le") }),
    record("a byte order mark", "stored", { text: (json) => `\ufeff${json}` }),
  ];
}

/** The text that ingest writes, with this text as value. */
function ingestText(time: string, value: string): string {
  const { deviceId, sensor } = poisonSeries;
  return `{"device_id":"${deviceId}","timestamp":"${time}","sensor":"${sensor}","value":${value}}`;
}
