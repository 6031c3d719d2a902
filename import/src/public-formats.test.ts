import { describe, expect, it } from "vitest";
import { convertText } from "../testing/convert-text.ts";
import type { ImportOptions } from "./inspect/options.ts";

/** `sensor value time` of each reading, or what keeps a text from being read. */
function readingsOf(text: string, options: ImportOptions = {}): string[] {
  const { inspection, readings, refused, badRows } = convertText(text, { device: "a", ...options });
  const open = inspection.questions.map(({ flag, text: why }) => `state ${flag}: ${why}`);
  const lines = readings.map(({ sensor, value, time }) => `${sensor} ${value} ${time.replace(".000Z", "Z")}`);
  return [...open, ...lines, ...refused, ...badRows];
}

const berlin = { zone: "Europe/Berlin" };

describe("files that loggers, apps and spreadsheets write", () => {
  it.each<[name: string, text: string, options: ImportOptions]>([
    ["sep= in the first line", "sep=;\nDatum;Uhrzeit;Temp [°C]\n13.07.2023;13:45;21,5\n", berlin],
    ["comments above a header", "# attic\n# v2\ntime\ttemp\n20230713T114500Z\t21.5\n", {}],
    ["microseconds in `epoch`", "epoch,temp\n1689248700000000,21.5\n", {}],
    ["a weekday before the date", "Zeit;Temperatur\nDo 13.07.2023 13:45;21,5\n", berlin],
    ["a French weekday and month", "Date;Temp\njeudi 13 juillet 2023 13:45;21,5\n", berlin],
    ["German months", "Datum;Temperatur\n13. Juli 2023 13:45;21,5\n", berlin],
    ["Spanish months", "Fecha;Temperatura\n13 de julio de 2023 13:45;21,5\n", berlin],
    ["English months", 'Time,Temp\n"July 13, 2023 1:45 PM",21.5\n', berlin],
    ["a zone in the column's name", '"Date Time, GMT+02:00",Temp\n07/13/23 01:45:00 PM,21.5\n', {}],
    ["UTC in the column's name", "Datetime_UTC,T_degC\n2023-07-13 11:45:00,21.5\n", {}],
    ["the minus sign of typography", "time,temp\n2023-07-13T11:45Z,−21.5\n", {}],
    ["blanks between thousands", "time;co2\n2023-07-13T11:45Z;1 234,5\n", {}],
    ["apostrophes between thousands", "time,co2\n2023-07-13T11:45Z,1'234.5\n", {}],
    ["a trailing separator", "time;temp;\n2023-07-13T11:45Z;21.5;\n", {}],
    ["a table of bars", "| time | temp |\n|---|---|\n| 2023-07-13T11:45Z | 21.5 |\n", {}],
    [
      "an order in the column's name",
      "Time(DD/MM/YYYY H:mm:ss),Temp(°C)\n13/07/2023 13:45:00,21.5\n",
      berlin,
    ],
  ])("with %s", (name, text, options) => {
    const value = name.includes("thousands")
      ? "co2 1234.5"
      : `temperature ${name.includes("minus") ? "-" : ""}21.5`;
    expect(readingsOf(text, options)).toEqual([`${value} 2023-07-13T11:45:00Z`]);
  });

  it("are read in French, with a column of quantities, one of values and one of units", () => {
    const text =
      "Date;Capteur;Grandeur;Valeur;Unité\n13/07/2023 13:45;salon;Température;50;°F\n13/07/2023 13:45;salon;Humidité;40,2;%\n";
    const { readings } = convertText(text, berlin);
    expect(readings.map(({ device, sensor, value }) => `${device} ${sensor} ${value}`)).toEqual([
      "salon temperature 10",
      "salon humidity 40.2",
    ]);
  });

  it("are asked about if the column's name and the flag state different zones", () => {
    const text = "Datetime_UTC,temp\n2023-07-13 11:45:00,21.5\n";
    expect(readingsOf(text, berlin)).toEqual([
      'state --zone: column "Datetime_UTC" states UTC, and --zone states Europe/Berlin: leave out --zone, or rename the column',
    ]);
    expect(readingsOf(text, { zone: "Etc/UTC" })).toEqual(["temperature 21.5 2023-07-13T11:45:00Z"]);
    const withZones = "Datetime_UTC,temp\n2023-07-13 11:45:00Z,21.5\n";
    expect(readingsOf(withZones, berlin)).toEqual(["temperature 21.5 2023-07-13T11:45:00Z"]);
  });
});
