import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSensorFile, problemText } from "./sensor-file.ts";

/** The problems of a file, one on each line. */
function problemsOf(text: string): string[] {
  const file = parseSensorFile(text);
  return file.kind === "problems" ? file.problems.map(problemText) : [];
}

describe("a file of sensors", () => {
  it("is read as YAML, in flow and block style", () => {
    const text = `# ours
sensors:
  kiln_temperature:
    unit: °C
    minimum: 0
    maximum: 1400
    description: Inside the kiln
    aliases: [kiln, ofen]
  temperature: {minimum: -200}
`;
    expect(parseSensorFile(text)).toEqual({
      kind: "entries",
      entries: [
        {
          sensor: "kiln_temperature",
          line: 3,
          unit: "°C",
          minimum: 0,
          maximum: 1400,
          description: "Inside the kiln",
          aliases: ["kiln", "ofen"],
        },
        { sensor: "temperature", line: 9, minimum: -200 },
      ],
    });
  });

  it("is read as JSON with the same result", () => {
    const sensors = { a: { unit: "1", minimum: -1.5e3, maximum: 2, aliases: ["b"] } };
    const file = parseSensorFile(JSON.stringify({ sensors }, null, 2));
    expect(file).toEqual({ kind: "entries", entries: [{ sensor: "a", line: 3, ...sensors.a }] });
  });

  it("reports all problems at once, each with its line, sensor, field and correction", () => {
    const text = `sensors:
  a b: {unit: x, minimum: 0, maximum: 1}
  lamp:
    unit: 3
    minimum: low
    maximun: 5
    aliases: lamps
  empty:
`;
    expect(problemsOf(text)).toEqual([
      "line 2: sensor a b the name must have 1 to 64 characters of [A-Za-z0-9_.-], the first one alphanumeric or _",
      'line 4: sensor lamp unit must be a text of 1 to 32 characters, not 3: write a unit such as "°C", "1" if it has none',
      'line 5: sensor lamp minimum must be a number, not "low": write one in the sensor\'s unit, from -1e+100 to 1e+100',
      "line 6: sensor lamp maximun is not a field of a sensor: the fields are unit, minimum, maximum, description, aliases",
      'line 7: sensor lamp aliases must be a list, not "lamps": write [first, second]',
      "line 8: sensor empty must be a mapping: write {unit: …, minimum: …, maximum: …}",
    ]);
  });

  it("is rejected if it is not a mapping of sensors, has a key twice, or uses anchors", () => {
    expect(problemsOf("")[0]).toContain("must hold a mapping of sensors");
    expect(problemsOf("[1, 2]")[0]).toContain("must hold a mapping of sensors");
    expect(problemsOf("sensor: {}\nsensors: {}")).toEqual([
      'line 1: only "sensors" may stand at the top, not "sensor"',
    ]);
    expect(problemsOf("sensors:\n  a: {unit: x, unit: y}")[0]).toMatch(/^line 2: Map keys must be unique/);
    expect(problemsOf("sensors:\n  a: &a {unit: x}\n  b: *a")).toEqual([
      "line 3: sensor b must be a mapping: write {unit: …, minimum: …, maximum: …}",
    ]);
    expect(problemsOf("sensors: {a: {unit: x, minimum: .inf}}")[0]).toContain("minimum must be a number");
    expect(problemsOf("sensors: {a: {minimum: 1")[0]).toMatch(/^line 1: /);
  });

  it("has at most 1000 sensors", () => {
    const sensors = Object.fromEntries(Array.from({ length: 1001 }, (_, place) => [`s${place}`, {}]));
    expect(problemsOf(JSON.stringify({ sensors }))).toEqual([
      "line 1: a file has at most 1000 sensors, not 1001",
    ]);
  });

  it("never throws, whatever it contains", () => {
    const piece = fc.constantFrom(
      "sensors:",
      " ",
      "\n",
      "a",
      ":",
      "{",
      "}",
      "[",
      "]",
      "&x",
      "*x",
      "unit: ",
      "1",
      "- ",
      '"',
      "!!str",
      "|",
      "\t",
      "%",
      "#",
      ",",
      "?",
      "minimum",
      "---",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((parts) => parts.join("")),
          fc.string(),
        ),
        (text) => {
          const file = parseSensorFile(text);
          if (file.kind === "problems") expect(file.problems.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
