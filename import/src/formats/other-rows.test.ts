import { describe, expect, it } from "vitest";
import { createAnnotatedReader } from "./annotated-csv.ts";
import { createJsonReader } from "./json-rows.ts";
import { createLineProtocolRows } from "./line-protocol-rows.ts";
import type { RowReader } from "./row.ts";

/** Each row as an object, or its problem. */
function objectsOf(reader: RowReader, text: string) {
  const middle = text.length >> 1;
  return [...reader.read(text.slice(0, middle), false), ...reader.read(text.slice(middle), true)].map(
    ({ line, names, cells, problem }) =>
      problem ?? { line, ...Object.fromEntries(names.map((name, at) => [name, cells[at]])) },
  );
}

describe("createAnnotatedReader", () => {
  it("reads consecutive tables, with their defaults", () => {
    const text = [
      "#group,false,false,true",
      "#datatype,string,long,double",
      "#default,_result,,",
      ",result,table,_value",
      ",,0,21.5",
      "",
      "#datatype,string,long,double,string",
      ",result,table,_value,host",
      ",,1,22.5,a",
      "",
      ",result,table,_value",
      ",x,2,23.5",
    ].join("\r\n");
    expect(objectsOf(createAnnotatedReader(), text)).toEqual([
      { line: 5, "": "", result: "_result", table: "0", _value: "21.5" },
      { line: 9, "": "", result: "", table: "1", _value: "22.5", host: "a" },
      { line: 12, "": "", result: "x", table: "2", _value: "23.5" },
    ]);
  });
});

describe("createJsonReader", () => {
  it("reads one object a line, nested ones with dotted names", () => {
    const text =
      '{"device_id":"1","t":21.5,"env":{"rh":40,"tags":[1]},"off":null}\n\n[1]\n{"a":\n{"on":true,"a.b":1,"a":{"b":2}}\n{"on":true}';
    expect(objectsOf(createJsonReader(), text)).toEqual([
      { line: 1, device_id: "1", t: "21.5", "env.rh": "40", off: "" },
      "the line is no JSON object",
      "the line is not JSON",
      "two members of the object have the same dotted name",
      { line: 6, on: "true" },
    ]);
  });
});

describe("createLineProtocolRows", () => {
  it("reads one point a row, and names the column of a malformed part", () => {
    const text = 'hall,host=a\\ b t=21.5,on=true,text="x" 1743278400\nhall t=\nhall t=2i\n';
    expect(objectsOf(createLineProtocolRows("s"), text)).toEqual([
      {
        line: 1,
        _measurement: "hall",
        _time: "2025-03-29T20:00:00.000Z",
        host: "a b",
        t: "21.5",
        on: "true",
        text: "x",
      },
      expect.stringMatching(/^column \d+: the field "t" has no value/),
      { line: 3, _measurement: "hall", _time: "", t: "2" },
    ]);
  });
});
