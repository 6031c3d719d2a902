import { describe, expect, it } from "vitest";
import { convertText } from "../testing/convert-text.ts";
import type { ImportOptions } from "./inspect/options.ts";

/** `device sensor value time` of each reading; the date is left out if it is 2025-03-29. */
function linesOf(text: string, options: ImportOptions = {}): string[] {
  const { inspection, readings, refused, badRows } = convertText(text, options);
  const open = inspection.questions.map(({ flag, text: why }) => `state ${flag}: ${why}`);
  const lines = readings.map(
    ({ device, sensor, value, time }) =>
      `${device} ${sensor} ${value} ${time.replace("2025-03-29T", "").replace(":00.000Z", "")}`,
  );
  return [
    ...open,
    ...(inspection.problem === undefined ? [] : [inspection.problem]),
    ...lines,
    ...refused,
    ...badRows,
  ];
}

const utc = { zone: "UTC" };

describe("shapes of recordings", () => {
  it("a logger's file with lines before the header, units below it and names with spaces", () => {
    const text = [
      '"TOA5","CR1000","Station 7"',
      '"TIMESTAMP","RECORD","Air Temperature","Relative Humidity","Wind Speed"',
      '"TS","RN","degF","%","km/h"',
      '"2025-03-29 20:00:00",17,"50",40,36',
      '"2025-03-29 20:10:00",18,"NAN",41,18',
    ].join("\n");
    expect(linesOf(text, { ...utc, device: "field" })).toEqual([
      "field temperature 10 20:00",
      "field humidity 40 20:00",
      "field wind_speed 10 20:00",
      "field humidity 41 20:10",
      "field wind_speed 5 20:10",
    ]);
  });

  it("units in the names of columns", () => {
    const text = "Date Time,Temp (°F),pressure_kpa,CO2 [ppm],Temp. Attic\n2025-03-29 20:00,50,101.3,612,99\n";
    expect(linesOf(text, { ...utc, device: "a" })).toEqual([
      "a temperature 10 20:00",
      "a pressure 1013 20:00",
      "a co2 612 20:00",
    ]);
    expect(convertText(text, { ...utc, device: "a" }).unknown).toEqual(["Temp. Attic"]);
    const logger =
      '"#","Date Time, GMT+00:00","Temp, °F (LGR S/N: 1, SEN S/N: 2)"\n1,03/29/25 08:00:00 PM,50\n2,03/29/25 08:10:00 PM,50\n';
    expect(linesOf(logger, { ...utc, device: "a" })).toEqual([
      "a temperature 10 20:00",
      "a temperature 10 20:10",
    ]);
  });

  it("no header: the names of columns are their numbers", () => {
    const text = "2025-03-29T20:00Z 21.5 40\n2025-03-29T20:01Z 21.6 41\n";
    expect(linesOf(text, { device: "a" })).toEqual([
      'state --map COLUMN=SENSOR: no column is called like a sensor: state which is ("column 2", "column 3")',
    ]);
    const columns = new Map([
      ["#2", "temperature"],
      ["column 3", "humidity"],
    ]);
    expect(linesOf(text, { device: "a", columns })).toHaveLength(4);
  });

  it("a table of sensors and values, with a unit in each row", () => {
    const text =
      "station;parameter;value;unit;recorded_at\nN1;temperature;50;°F;2025-03-29T20:00Z\nN1;pressure;101325;Pa;2025-03-29T20:00Z\nN1;smell;3;x;2025-03-29T20:00Z\n";
    expect(linesOf(text)).toEqual(["N1 temperature 10 20:00", "N1 pressure 1013.25 20:00"]);
    expect(convertText(text).unknown).toEqual(["smell"]);
  });

  it("values with their units", () => {
    expect(
      linesOf(
        "time,temperature\n2025-03-29T20:00Z,50 °F\n2025-03-29T20:01Z,283.15K\n2025-03-29T20:02Z,9 apples\n",
        { device: "a" },
      ),
    ).toEqual([
      "a temperature 10 20:00",
      "a temperature 10 20:01",
      "4 temperature: the value is not a number",
    ]);
  });

  it("decimal commas, thousands, and ambiguous numbers", () => {
    const table = (...values: string[]) =>
      `time;co2\n${values.map((value, at) => `2025-03-29T20:0${at}Z;${value}`).join("\n")}\n`;
    expect(linesOf(table("1.013,5", "412,25", "400"), { device: "a" })).toEqual([
      "a co2 1013.5 20:00",
      "a co2 412.25 20:01",
      "a co2 400 20:02",
    ]);
    expect(linesOf(table("1,013", "1,250"), { device: "a" })).toEqual([
      'state --decimal , or --decimal .: "co2": 1,013 has decimals or thousands',
    ]);
    expect(linesOf(table("1,013"), { device: "a", decimal: "," })).toEqual(["a co2 1.013 20:00"]);
    expect(linesOf(table("1,013", "1,013.5"), { device: "a", decimal: "." })).toEqual([
      "a co2 1013 20:00",
      "a co2 1013.5 20:01",
    ]);
  });

  it("NDJSON, nested or not, with states and without values", () => {
    const text = [
      '{"device_id":"1","timestamp":"2025-03-29T20:00:00Z","temperature":25.2,"tag":"Thermostat"}',
      '{"device_id":"2","timestamp":"2025-03-29T20:01:00Z","env":{"humidity":40,"pressure":null},"battery":"97 %"}',
    ].join("\n");
    expect(linesOf(text).sort()).toEqual([
      "1 temperature 25.2 20:00",
      "2 battery 97 20:01",
      "2 humidity 40 20:01",
    ]);
    expect(convertText(text).missing).toBe(1);
  });

  it("line protocol, by its tags, in each precision", () => {
    for (const digits of ["", "000", "000000", "000000000"]) {
      const text = `hall,host=h\\ 1,floor=2 temperature=21.5,humidity=40i,note="x" 1743278400${digits}\nco2,host=b value=600 1743278400${digits}\n`;
      expect(linesOf(text)).toEqual([
        "h%201 temperature 21.5 20:00",
        "h%201 humidity 40 20:00",
        "b co2 600 20:00",
      ]);
    }
    expect(linesOf("hall temperature=21.5 1743278400\n")).toEqual([
      expect.stringContaining("state --device: no column names the device"),
    ]);
    expect(
      linesOf("hall,where=attic temperature=21.5 1743278400\n", { columns: new Map([["where", "device"]]) }),
    ).toEqual(["attic temperature 21.5 20:00"]);
  });

  it("InfluxDB's annotated CSV, fields as rows or as columns", () => {
    const head =
      "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\n#group,false,false,true,true,false,false,true,true,true\n#default,_result,,,,,,,,\n";
    const text = `${head},result,table,_start,_stop,_time,_value,_field,_measurement,host\n,,0,2025-03-28T00:00:00Z,2025-03-30T00:00:00Z,2025-03-29T20:00:00Z,21.5,temperature,hall,h1\n`;
    expect(linesOf(text)).toEqual(["h1 temperature 21.5 20:00"]);
    const pivoted =
      ",result,table,_time,host,temperature,humidity\n,,0,2025-03-29T20:00:00Z,h1,21.5,40\n,,0,2025-03-29T20:01:00Z,h1,21.6,41\n";
    expect(linesOf(pivoted)).toHaveLength(4);
  });

  it("Home Assistant in InfluxDB: the unit is the measurement, the sensor the end of the entity", () => {
    const text =
      "°F,domain=sensor,entity_id=attic_temperature value=50 1743278400000000000\n%,domain=sensor,entity_id=attic_humidity value=40 1743278400000000000\n";
    expect(linesOf(text)).toEqual([
      "attic_temperature temperature 10 20:00",
      "attic_humidity humidity 40 20:00",
    ]);
  });

  it("Home Assistant's history of many entities", () => {
    const text =
      "entity_id,state,last_changed\nsensor.attic_temperature,21.5,2025-03-29T20:00:00.000Z\nsensor.attic_humidity,unknown,2025-03-29T20:00:00.000Z\nsun.sun,above_horizon,2025-03-29T20:00:00.000Z\nbinary_sensor.hall_occupancy,on,2025-03-29T20:00:00.000Z\n";
    expect(linesOf(text)).toEqual([
      "sensor.attic_temperature temperature 21.5 20:00",
      "binary_sensor.hall_occupancy occupancy 1 20:00",
    ]);
    expect(convertText(text)).toMatchObject({ missing: 1, unknown: ["sun.sun"] });
  });

  it("date and time in two columns, and numbers of rows", () => {
    const text = "id,date,time,temp\n1,29/03/2025,20:00,21.5\n2,30/03/2025,8:30 PM,22\n";
    expect(linesOf(text, { ...utc, device: "a" })).toEqual([
      "a temperature 21.5 20:00",
      "a temperature 22 2025-03-30T20:30",
    ]);
  });

  it("asks which of two columns to use", () => {
    const twice = "time,temperature,temp\n2025-03-29T20:00Z,21.5,22\n";
    expect(linesOf(twice, { device: "a" })).toEqual([
      expect.stringContaining(
        'the columns "temperature" and "temp" are all of temperature: leave out all but one',
      ),
    ]);
    expect(linesOf(twice, { device: "a", columns: new Map([["temp", "-"]]) })).toEqual([
      "a temperature 21.5 20:00",
    ]);
    expect(
      linesOf("a_time,b_time,temperature\n2025-03-29T20:00Z,2025-03-29T20:01Z,22\n", { device: "a" }),
    ).toEqual([expect.stringContaining('state --map COLUMN=time: the times may be in "a_time" or "b_time"')]);
  });

  it("asks for units if values are plausible in another one, or outside the bounds in their own", () => {
    const ask = (column: string, ...values: number[]) =>
      linesOf(`time,${column}\n${values.map((value, at) => `2025-03-29T20:0${at}Z,${value}`).join("\n")}\n`, {
        device: "a",
      });
    expect(ask("temperature", 70.1, 72.5, 68)).toEqual([
      expect.stringContaining("state --unit temperature=°F: no unit is stated"),
    ]);
    expect(ask("pressure", 101_325, 101_300)).toEqual([expect.stringContaining("can be Pa")]);
    expect(ask("pressure", 29.9, 30.1)).toEqual([expect.stringContaining("inHg")]);
    expect(ask("humidity", 0.41, 0.42)).toEqual([expect.stringContaining("can be %, fraction")]);
    expect(ask("temperature_c", 70.1, 72.5, 68)).toHaveLength(3);
    // The project's own format has the catalog's units.
    expect(linesOf("device_id,timestamp,sensor,value\na,2025-03-29T20:00Z,temperature,72\n")).toEqual([
      "a temperature 72 20:00",
    ]);
    expect(ask("co_mg/m3", 1, 2)).toEqual([expect.stringContaining("cannot be converted to ppm")]);
  });

  it("reads day numbers of a spreadsheet as times only with --map", () => {
    const text = "time,temperature\n45745.833333333,21.5\n45745.84,21.6\n";
    expect(linesOf(text, { ...utc, device: "a" })).toEqual([
      expect.stringContaining("no column holds times"),
    ]);
    const columns = new Map([["time", "time"]]);
    expect(linesOf(text, { ...utc, device: "a", columns })[0]).toBe("a temperature 21.5 20:00");
  });

  it("does not read an id as a value, even if it is the only number", () => {
    const text = "device_id,time,note\n17,2025-03-29T20:00Z,x\n18,2025-03-29T20:01Z,y\n";
    expect(linesOf(text, { device: "a", sensor: "temperature" })).toEqual([
      expect.stringContaining("state --map COLUMN=SENSOR"),
    ]);
  });

  it("reads neither locations nor labels without --map", () => {
    const text = "device,time,lat,lon,occupancy,temperature\na,2025-03-29T20:00Z,50.1,8.2,1,21.5\n";
    expect(linesOf(text)).toEqual(["a temperature 21.5 20:00"]);
    expect(convertText(text).unknown).toEqual(["occupancy"]);
    expect(linesOf(text, { columns: new Map([["occupancy", "occupancy"]]) })).toHaveLength(2);
  });

  it.each([
    ["", "the file is empty"],
    ["PK\u0003\u0004\u0000", "spreadsheet"],
    ["some words\nand more\n", "no rows with times or numbers"],
  ])("reports why %j cannot be read", (text, problem) => {
    expect(linesOf(text)).toEqual([expect.stringContaining(problem)]);
  });
});
