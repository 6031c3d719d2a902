import { describe, expect, it } from "vitest";
import { convertText } from "../testing/convert-text.ts";
import { resultOf } from "../testing/result-of.ts";
import type { ImportOptions } from "./inspect/options.ts";

const attic = { device: "attic" };
const atticUtc = { device: "attic", zone: "UTC" };

describe("files of services and devices", () => {
  it.each<[name: string, text: string, options: ImportOptions, expected: readonly string[]]>([
    [
      "hours of the DWD",
      "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n       433;2024010113;    1;   6.5;  84.0;eor\n       433;2024010114;    1;   -999;  85.0;eor\n",
      {},
      [
        "433 temperature 6.5 2024-01-01T13:00Z",
        "433 humidity 84 2024-01-01T13:00Z",
        "433 humidity 85 2024-01-01T14:00Z",
        "missing 1",
      ],
    ],
    [
      "ten minutes of the DWD",
      "STATIONS_ID;MESS_DATUM;  QN;PP_10;TT_10;eor\n        433;202401010010;    2;   1009.1;   -9.1;eor\n",
      {},
      ["433 pressure 1009.1 2024-01-01T00:10Z", "433 temperature -9.1 2024-01-01T00:10Z"],
    ],
    [
      "NOAA's daily summaries, in °F and knots",
      '"STATION","DATE","NAME","TEMP","TEMP_ATTRIBUTES","STP","WDSP"\n"727930","2024-01-01","SEATTLE, WA US","  23.0","24","006.7"," 999.9"\n',
      {},
      ["727930 temperature -5 2024-01-01T00:00Z", "missing 1"],
    ],
    [
      "NOAA's hours, with tenths and marks of quality",
      '"STATION","DATE","REPORT_TYPE","CALL_SIGN","TMP"\n"727930","2024-01-01T00:53:00","FM-15","KSEA","+0067,5"\n"727930","2024-01-01T01:53:00","FM-15","KSEA","-0011,5"\n"727930","2024-01-01T02:53:00","FM-15","KSEA","+9999,9"\n',
      {},
      ["727930 temperature 6.7 2024-01-01T00:53Z", "727930 temperature -1.1 2024-01-01T01:53Z", "missing 1"],
    ],
    [
      "SwitchBot",
      'Timestamp,Temperature_Celsius(°C),Relative_Humidity(%),DPT_Celsius(°C)\n"Jan 13, 2024 0:00",21.5,45,9.1\n',
      { device: "attic", zone: "Asia/Tokyo" },
      [
        "attic temperature 21.5 2024-01-12T15:00Z",
        "attic humidity 45 2024-01-12T15:00Z",
        "unknown DPT_Celsius(°C)",
      ],
    ],
    [
      "Xiaomi, in Chinese",
      "时间,温度(℃),湿度(%)\n2024-01-13 00:00:00,21.5,45\n",
      atticUtc,
      ["attic temperature 21.5 2024-01-13T00:00Z", "attic humidity 45 2024-01-13T00:00Z"],
    ],
    [
      "Apple Health",
      "type,sourceName,unit,creationDate,startDate,endDate,value\nHKQuantityTypeIdentifierHeartRate,Watch,count/min,2024-01-13 00:05:00 +0100,2024-01-13 00:01:00 +0100,2024-01-13 00:01:00 +0100,61\n",
      { columns: new Map([["sourceName", "device"]]) },
      ["Watch heart_rate 61 2024-01-12T23:01Z"],
    ],
    [
      "Fitbit, an array over many lines",
      '[{\n  "dateTime" : "01/13/24 08:00:00",\n  "value" : {\n    "bpm" : 61,\n    "confidence" : 2\n  }\n},{\n  "dateTime" : "01/13/24 08:01:00",\n  "value" : {\n    "bpm" : 62,\n    "confidence" : 2\n  }\n}]\n',
      atticUtc,
      [
        "attic heart_rate 61 2024-01-13T08:00Z",
        "attic heart_rate 62 2024-01-13T08:01Z",
        "unknown value.confidence",
      ],
    ],
    [
      "ThingSpeak, rows in an object",
      '{"channel":{"id":9,"field1":"Temperature"},"feeds":[{"created_at":"2024-01-13T00:00:00Z","entry_id":1,"field1":"21.5"},{"created_at":"2024-01-13T00:01:00Z","entry_id":2,"field1":null}]}\n',
      {
        device: "attic",
        columns: new Map([
          ["field1", "temperature"],
          ["entry_id", "-"],
        ]),
      },
      ["attic temperature 21.5 2024-01-13T00:00Z", "missing 1"],
    ],
    [
      "openHAB",
      '{"name":"Attic","datapoints":"2","data":[{"time":1705104000000,"state":"21.5 °C"},{"time":1705104060000,"state":"70.7 °F"}]}\n',
      { device: "attic", sensor: "temperature" },
      ["attic temperature 21.5 2024-01-13T00:00Z", "attic temperature 21.5 2024-01-13T00:01Z"],
    ],
    [
      "Home Assistant's REST history, with units",
      '[[{"entity_id":"sensor.attic_temperature","state":"50","attributes":{"unit_of_measurement":"°F"},"last_changed":"2024-01-13T00:00:00+00:00","last_updated":"2024-01-13T00:00:00+00:00"}],[{"entity_id":"sensor.cellar_temperature","state":"unavailable","attributes":{"unit_of_measurement":"°F"},"last_changed":"2024-01-13T00:01:00+00:00","last_updated":"2024-01-13T00:00:00+00:00"}]]',
      {},
      ["sensor.attic_temperature temperature 10 2024-01-13T00:00Z", "missing 1"],
    ],
    [
      "The Things Network, with an id inside",
      '{"end_device_ids":{"device_id":"node-1","application_ids":{"application_id":"app"}},"received_at":"2024-01-13T12:57:00Z","uplink_message":{"decoded_payload":{"temperature":21.5},"rx_metadata":[{"rssi":-50}]}}\n',
      {},
      ["node-1 temperature 21.5 2024-01-13T12:57Z"],
    ],
    [
      "the UCI's air quality, whose times have points",
      "Date;Time;T;RH;;\n10/03/2004;18.00.00;13,6;48,9;;\n10/03/2004;19.00.00;-200;47,7;;\n",
      { device: "attic", zone: "UTC", order: "day-month", missing: ["-200"] },
      [
        "attic temperature 13.6 2004-03-10T18:00Z",
        "attic humidity 48.9 2004-03-10T18:00Z",
        "attic humidity 47.7 2004-03-10T19:00Z",
        "missing 1",
      ],
    ],
    [
      "Meteostat, with a column of hours",
      "date,hour,temp,rhum\n2024-01-13,0,8.5,91\n2024-01-13,13,8.4,92\n",
      atticUtc,
      [
        "attic temperature 8.5 2024-01-13T00:00Z",
        "attic humidity 91 2024-01-13T00:00Z",
        "attic temperature 8.4 2024-01-13T13:00Z",
        "attic humidity 92 2024-01-13T13:00Z",
      ],
    ],
    [
      "Open-Meteo, below a table of its own",
      "latitude,longitude,elevation,timezone\n52.52,13.419998,38.0,GMT\n\ntime,temperature_2m (°C),surface_pressure (hPa)\n2024-01-13T00:00,8.5,1003.2\n2024-01-13T01:00,8.4,1003.1\n",
      atticUtc,
      [
        "attic temperature 8.5 2024-01-13T00:00Z",
        "attic pressure 1003.2 2024-01-13T00:00Z",
        "attic temperature 8.4 2024-01-13T01:00Z",
        "attic pressure 1003.1 2024-01-13T01:00Z",
      ],
    ],
    [
      "PurpleAir, whose _atm is no unit of pressure",
      "time_stamp,humidity,pm2.5_atm\n1705104000,31.5,5.1\n",
      { device: "attic", columns: new Map([["pm2.5_atm", "pm2_5"]]) },
      ["attic humidity 31.5 2024-01-13T00:00Z", "attic pm2_5 5.1 2024-01-13T00:00Z"],
    ],
  ])("are read: %s", (_, text, options, expected) => {
    expect(resultOf(text, options)).toEqual(expected);
  });
});

describe("forms of times", () => {
  it.each([
    "1.7051040E9",
    "1705104000000000",
    "2024-W02-6T00:00:00Z",
    "2024-013T00:00:00Z",
    "Sat Jan 13 00:00:00 2024",
    "Sat Jan 13 00:00:00 UTC 2024",
    "13/Jan/2024:01:00:00 +0100",
    "2024:01:13 00:00:00",
    "2024-01-13T01:00:00+01:00[Europe/Berlin]",
    "2024-01-13 00:00:00:000",
    "13/01/2024 12:00 a. m.",
  ])("are read: %s", (time) => {
    expect(resultOf(`ts_logged;temperature\n${time};21.5\n`, atticUtc)).toEqual([
      "attic temperature 21.5 2024-01-13T00:00Z",
    ]);
  });

  it("are rejected if the week or the day does not exist", () => {
    for (const time of ["2023-W53-1T00:00:00Z", "2023-366T00:00:00Z", "2023-W00-1T00:00:00Z"])
      expect(resultOf(`time;temperature\n${time};21.5\n`, attic)[0]).toContain("no column holds times");
  });

  it("without a time of day are asked about if several rows have the same date", () => {
    const text = "date,slot,temperature\n2024-01-13,a,8.5\n2024-01-13,b,8.4\n";
    expect(resultOf(text, atticUtc)).toEqual([
      'state --map COLUMN=time: "date" holds dates without times of day, and several rows have the same date: name both columns, or state that there is none with --map "date=time"',
    ]);
    const stated = { ...atticUtc, columns: new Map([["date", "time"]]) };
    expect(resultOf(text, stated)[0]).toBe("attic temperature 8.5 2024-01-13T00:00Z");
    expect(resultOf("date,temperature\n2024-01-13,8.5\n2024-01-14,8.4\n", atticUtc)).toHaveLength(2);
  });

  it("with the abbreviation of a zone are rejected with the reason", () => {
    expect(resultOf("time,temperature\n2024-01-13 00:00:00 CST,8.5\n", atticUtc)[0]).toContain(
      "CST is no unique zone: leave it out of the times, and state --zone",
    );
  });
});

describe("numbers", () => {
  it.each<[name: string, header: string, cells: readonly string[], values: readonly string[]]>([
    ["a unit behind a decimal comma", "Temperatur", ["24,5 °C", "50 °F"], ["24.5", "10"]],
    ["a unit behind thousands", "Luftdruck", ["1.013,2 hPa", "1 013,4 hPa"], ["1013.2", "1013.4"]],
    ["minus signs of two kinds", "Temperatur", ["−1,5", "–2,5"], ["-1.5", "-2.5"]],
    ["three decimals that are none", "Temperatur", ["21.345", "22"], ["21.345", "22"]],
  ])("with %s", (_, header, cells, values) => {
    const rows = cells.map((cell, at) => `13.01.2024 00:0${at};${cell}\n`);
    const { readings, inspection } = convertText(`Zeit;${header}\n${rows.join("")}`, atticUtc);
    expect(inspection.questions).toEqual([]);
    expect(readings.map(({ value }) => String(value))).toEqual(values);
  });

  it("whose points may separate thousands are asked about, unless a comma elsewhere decides", () => {
    const text = "Zeit;CO2\n13.01.2024 00:00;1.234\n13.01.2024 00:01;987\n";
    expect(resultOf(text, atticUtc)).toEqual([
      'state --decimal , or --decimal .: "CO2": 1.234 has decimals or thousands',
    ]);
    expect(resultOf(text, { ...atticUtc, decimal: "," })).toContain("attic co2 1234 2024-01-13T00:00Z");
    expect(resultOf(text, { ...atticUtc, decimal: "." })).toContain("attic co2 1.234 2024-01-13T00:00Z");
    const german = "Zeit;CO2;Temp\n13.01.2024 00:00;1.234;21,5\n13.01.2024 00:01;987;21,5\n";
    expect(resultOf(german, atticUtc)).toContain("attic co2 1234 2024-01-13T00:00Z");
  });

  it("whose commas separate thousands are read with the flag that is asked for", () => {
    const text = 'time,co2\n2024-01-13T00:00Z,"1,234"\n';
    expect(resultOf(text, attic)).toEqual([
      'state --decimal , or --decimal .: "co2": 1,234 has decimals or thousands',
    ]);
    expect(resultOf(text, { ...attic, decimal: "." })).toEqual(["attic co2 1234 2024-01-13T00:00Z"]);
    expect(resultOf(text, { ...attic, decimal: "," })).toEqual(["attic co2 1.234 2024-01-13T00:00Z"]);
  });

  it("that a spreadsheet could not compute are missing", () => {
    const text = "time,temperature\n2024-01-13T00:00Z,#DIV/0!\n2024-01-13T00:01Z,#VALUE!\n";
    expect(resultOf(`${text}2024-01-13T00:02Z,21.5\n2024-01-13T00:03Z,--.-\n`, attic)).toEqual([
      "attic temperature 21.5 2024-01-13T00:02Z",
      "missing 3",
    ]);
  });
});

describe("files that are no recordings", () => {
  it.each<[text: string, problem: string]>([
    ['<?xml version="1.0"?>\n<HealthData/>\n', "the file is XML"],
    ["<!DOCTYPE html>\n<html></html>\n", "the file is a web page"],
    [
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"place":"attic"},"values":[[1705104000,"21.5"]]}]}}\n',
      "the file is an answer of Prometheus: write a value a line (jq ",
    ],
    [
      '{"hourly":{"time":["2024-01-13T00:00"],"temperature_2m":[8.5]}}\n',
      "the file has an array for each column",
    ],
    ["[[1,2],[3,4]]\n", "1: the array holds no objects"],
  ])("are rejected with their kind: %s", (text, problem) => {
    expect(resultOf(text)[0]).toContain(problem);
  });
});
