import type { KnownSensor, SensorLookup } from "../src/inspect/sensor-lookup.ts";

const listed: readonly (readonly [names: string, unit: string, minimum: number, maximum: number])[] = [
  ["temperature air_temperature temp", "°C", -100, 150],
  ["pressure", "hPa", 300, 1200],
  ["humidity", "%", 0, 100],
  ["heart_rate", "1/min", 0, 300],
  ["co2", "ppm", 0, 100_000],
  ["co", "ppm", 0, 10_000],
  ["illuminance", "lx", 0, 500_000],
  ["pm2_5", "µg/m³", 0, 20_000],
  ["pm10", "µg/m³", 0, 20_000],
  ["wind_speed", "m/s", 0, 150],
  ["energy", "kWh", -1e9, 1e9],
  ["battery", "%", 0, 100],
  ["latitude lat", "°", -90, 90],
  ["longitude lon", "°", -180, 180],
  ["altitude", "m", -12_000, 50_000_000],
  ["occupancy", "1", 0, 1],
  ["smoke", "1", 0, 1],
];

/** Sensors in the form of a catalog, for tests of the pure stages. */
export const testSensors: readonly KnownSensor[] = listed.map(([names, unit, minimum, maximum], code) => ({
  sensor: names.split(" ")[0]!,
  code,
  unit,
  minimum,
  maximum,
}));

/** Finds them by their names and aliases. */
export const testLookup: SensorLookup = {
  find: (name) => testSensors[listed.findIndex(([names]) => names.split(" ").includes(name))],
};
