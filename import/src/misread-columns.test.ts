import { describe, expect, it } from "vitest";
import { resultOf } from "../testing/result-of.ts";
import type { ImportOptions } from "./inspect/options.ts";

const attic = { device: "attic" };
const atticUtc = { device: "attic", zone: "UTC" };

describe("columns and values that only resemble a measurement", () => {
  it.each<[name: string, text: string, options: ImportOptions, expected: readonly string[]]>([
    [
      "NOAA's hours with values that it marks as erroneous",
      '"STATION","DATE","REPORT_TYPE","CALL_SIGN","TMP"\n"727930","2024-01-01T00:53:00","FM-15","KSEA","+0667,3"\n"727930","2024-01-01T01:53:00","FM-15","KSEA","-0011,7"\n"727930","2024-01-01T02:53:00","FM-15","KSEA","-0011,1"\n',
      {},
      [
        "727930 temperature -1.1 2024-01-01T02:53Z",
        "2 TMP: the source marks the value as erroneous",
        "3 TMP: the source marks the value as erroneous",
      ],
    ],
    [
      "columns that are numbered, which is no unit",
      "time,battery_1,Humidity (1),co2 [1]\n2024-01-13 00:00:00,0.9,45,0.0006\n",
      atticUtc,
      ["attic co2 600 2024-01-13T00:00Z", "unknown battery_1", "unknown Humidity (1)"],
    ],
    [
      "objects whose names change the meaning of their members",
      '{"time":"2024-01-13T00:00:00Z","soil":{"temperature":5},"target":{"temp":21,"co2":900},"wind":{"speed":3},"cpu":{"temp":60},"kitchen":{"temp":20,"pm2.5":7}}\n',
      attic,
      [
        "attic wind_speed 3 2024-01-13T00:00Z",
        "attic temperature 20 2024-01-13T00:00Z",
        "attic pm2_5 7 2024-01-13T00:00Z",
        "unknown soil.temperature",
        "unknown target.temp",
        "unknown target.co2",
        "unknown cpu.temp",
      ],
    ],
    [
      "an electricity meter with single letters",
      "time,p,u\n2024-01-13 00:00:00,450,230\n",
      atticUtc,
      ['state --map COLUMN=SENSOR: no column is called like a sensor: state which is ("p", "u")'],
    ],
    [
      "single letters of a weather station",
      "time,t,h,p\n2024-01-13 00:00:00,4.5,80,1013\n",
      atticUtc,
      [
        "attic temperature 4.5 2024-01-13T00:00Z",
        "attic humidity 80 2024-01-13T00:00Z",
        "attic pressure 1013 2024-01-13T00:00Z",
      ],
    ],
    [
      "Home Assistant's history of which only the first state has its attributes",
      '[[{"entity_id":"sensor.attic_temperature","state":"40","last_changed":"2024-01-13T00:00:00Z","attributes":{"unit_of_measurement":"°F"}},{"state":"41","last_changed":"2024-01-13T00:05:00Z"}]]',
      { ...attic, sensor: "temperature" },
      [
        'state --unit temperature=°F: the file states "°F" for some values of temperature, and no unit for others',
      ],
    ],
  ])("are not read: %s", (_, text, options, expected) => {
    expect(resultOf(text, options)).toEqual(expected);
  });
});
