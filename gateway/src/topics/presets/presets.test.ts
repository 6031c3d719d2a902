import { describe, expect, it } from "vitest";
import { readingsOf } from "../../../testing/topic-readings.ts";

describe("zigbee2mqtt", () => {
  it("reads the values of a climate sensor, with last_seen as their time and millivolts as volts", () => {
    const payload = {
      battery: 97,
      humidity: 51.42,
      last_seen: "2023-03-28T22:04:22+02:00",
      linkquality: 120,
      power_outage_count: 3,
      pressure: 1010.2,
      temperature: 21.37,
      update: { installed_version: 1, state: "idle" },
      voltage: 3015,
    };
    const at = "2023-03-28T20:04:22.000Z";
    expect(readingsOf("zigbee2mqtt/living room/climate", payload)).toEqual(
      [
        "battery|97",
        "humidity|51.42",
        "link_quality|120",
        "pressure|1010.2",
        "temperature|21.37",
        "voltage|3.015",
      ].map((text) => `living%20room/climate|${text}|${at}`),
    );
  });

  it("reads contacts and plugs, and ignores the bridge, commands and availability", () => {
    expect(
      readingsOf("zigbee2mqtt/door", {
        battery_low: false,
        contact: true,
        illuminance: 9000,
        illuminance_lux: 8,
      }),
    ).toEqual(["door|contact|1", "door|illuminance|8"]);
    expect(
      readingsOf("zigbee2mqtt/plug", {
        state: "ON",
        power: 12.5,
        voltage: 231,
        current: 0.06,
        last_seen: 1680033862123,
      }),
    ).toEqual(
      ["state|1", "power|12.5", "voltage|231", "current|0.06"].map(
        (text) => `plug|${text}|2023-03-28T20:04:22.123Z`,
      ),
    );
    for (const [topic, payload] of [
      ["bridge/state", { state: "online" }],
      ["bridge/devices", [{ temperature: 1 }]],
      ["bridge/health", { temperature: 1 }],
      ["plug/set", { temperature: 1 }],
      ["plug/availability", { state: "online" }],
    ] as const)
      expect(readingsOf(`zigbee2mqtt/${topic}`, payload)).toEqual([]);
  });
});

describe("Tasmota", () => {
  it("reads each chip of a SENSOR message as a device, at the time of receipt", () => {
    const payload = {
      Time: "2023-03-28T20:04:22",
      AM2301: { Temperature: 21.3, Humidity: 51, DewPoint: 10.7 },
      BMP280: { Id: "0", Temperature: 21.5, Pressure: 1010.2, SeaPressure: 1013.1 },
      SDS0X1: { "PM2.5": 5.1 },
      PressureUnit: "hPa",
      TempUnit: "C",
    };
    expect(readingsOf("tele/kitchen/SENSOR", payload)).toEqual([
      "kitchen/AM2301|temperature|21.3",
      "kitchen/AM2301|humidity|51",
      "kitchen/AM2301|dew_point|10.7",
      "kitchen/BMP280|temperature|21.5",
      "kitchen/BMP280|pressure|1010.2",
      "kitchen/SDS0X1|pm2_5|5.1",
    ]);
  });

  it("reads energy, and converts known units", () => {
    const energy = {
      TotalStartTime: "2021-01-01T00:00:00",
      Total: 12.345,
      Yesterday: 0.5,
      Today: 0.1,
      Power: 42,
      Voltage: 230,
      Current: 0.183,
    };
    expect(readingsOf("tele/plug/SENSOR", { Time: "2023-03-28T20:04:22+00:00", ENERGY: energy })).toEqual(
      ["energy|12.345", "power|42", "voltage|230", "current|0.183"].map(
        (text) => `plug/ENERGY|${text}|2023-03-28T20:04:22.000Z`,
      ),
    );
    expect(readingsOf("tele/a/SENSOR", { DHT11: { Temperature: 212 }, TempUnit: "F" })).toEqual([
      "a/DHT11|temperature|100",
    ]);
    expect(readingsOf("tele/a/SENSOR", { DHT11: { Temperature: 300 }, TempUnit: "K" })).toEqual([]);
  });

  it("reads STATUS8, and no other message", () => {
    const payload = {
      StatusSNS: { Time: "2023-03-28T20:04:22", DS18B20: { Id: "01", Temperature: 5 }, TempUnit: "C" },
    };
    expect(readingsOf("stat/kitchen/STATUS8", payload)).toEqual(["kitchen/DS18B20|temperature|5"]);
    expect(
      readingsOf("tele/kitchen/STATE", { Time: "2023-03-28T20:04:22", Vcc: 3.4, Wifi: { RSSI: 80 } }),
    ).toEqual([]);
    expect(readingsOf("tele/kitchen/LWT", "Online")).toEqual([]);
  });
});

it("ESPHome: reads sensors and binary sensors by the end of their names", () => {
  expect(readingsOf("greenhouse/sensor/temperature/state", "21.53")).toEqual([
    "greenhouse|temperature|21.53",
  ]);
  expect(readingsOf("greenhouse/sensor/bme280_dew_point/state", "7.1")).toEqual([
    "greenhouse/bme280|dew_point|7.1",
  ]);
  expect(readingsOf("hall/binary_sensor/hall_motion/state", "ON")).toEqual(["hall/hall|motion|1"]);
  expect(readingsOf("hall/sensor/temperature/state", "nan")).toEqual([]);
  expect(readingsOf("hall/sensor/wifi_signal_name/state", "home")).toEqual([]);
  expect(readingsOf("hall/status", "online")).toEqual([]);
});

describe("Shelly", () => {
  it("reads topics of the first generation", () => {
    expect(readingsOf("shellies/shellyht-1A2B/sensor/temperature", "21.38")).toEqual([
      "shellyht-1A2B|temperature|21.38",
    ]);
    expect(readingsOf("shellies/shellyht-1A2B/sensor/battery", "88")).toEqual(["shellyht-1A2B|battery|88"]);
    expect(readingsOf("shellies/shellyflood-1/sensor/flood", "true")).toEqual(["shellyflood-1|water_leak|1"]);
    expect(readingsOf("shellies/shelly25/relay/1/power", "12.3")).toEqual(["shelly25/1|power|12.3"]);
    expect(readingsOf("shellies/shelly1pm/relay/0/energy", "120000")).toEqual(["shelly1pm|energy|2"]);
    expect(readingsOf("shellies/shelly3em/emeter/2/total", "1500.0")).toEqual(["shelly3em/2|energy|1.5"]);
    for (const topic of ["online", "temperature_f", "relay/0", "announce"])
      expect(readingsOf(`shellies/shelly1pm/${topic}`, "1")).toEqual([]);
  });

  it("reads status and notifications of later generations", () => {
    expect(readingsOf("shellyplusht-08b6/status/temperature:0", { id: 0, tC: 21.3, tF: 70.3 })).toEqual([
      "shellyplusht-08b6|temperature|21.3",
    ]);
    const status = {
      id: 0,
      output: true,
      apower: 8.9,
      voltage: 237.5,
      current: 0.04,
      aenergy: { total: 6500.5, by_minute: [1, 2] },
      temperature: { tC: 53.3 },
    };
    expect(readingsOf("shellyplus1pm-44/status/switch:0", status)).toEqual([
      "shellyplus1pm-44|power|8.9",
      "shellyplus1pm-44|voltage|237.5",
      "shellyplus1pm-44|current|0.04",
      "shellyplus1pm-44|energy|6.5005",
    ]);
    const params = {
      ts: 1680033862.12,
      "temperature:100": { id: 100, tC: 19 },
      "humidity:0": { id: 0, rh: 64.8 },
      "devicepower:0": { battery: { V: 5.9, percent: 100 } },
    };
    expect(
      readingsOf("ht/events/rpc", { src: "ht", dst: "ht/events", method: "NotifyFullStatus", params }),
    ).toEqual(
      ["ht/100|temperature|19", "ht|humidity|64.8", "ht|battery|100"].map(
        (text) => `${text}|2023-03-28T20:04:22.120Z`,
      ),
    );
    expect(readingsOf("ht/events/rpc", { method: "NotifyEvent", params })).toEqual([]);
  });
});

it("Home Assistant: reads states of sensors from its statestream", () => {
  expect(readingsOf("homeassistant/sensor/living_room_temperature/state", "21.5")).toEqual([
    "living_room|temperature|21.5",
  ]);
  expect(readingsOf("statestream/sensor/humidity/state", "40")).toEqual(["home|humidity|40"]);
  expect(readingsOf("homeassistant/binary_sensor/hall_motion/state", "off")).toEqual(["hall|motion|0"]);
  for (const [topic, payload] of [
    ["sensor/living_room_temperature/state", "unavailable"],
    ["sensor/living_room_temperature/unit_of_measurement", '"°C"'],
    ["sensor/living_room_temperature/last_updated", "2023-03-28T20:04:22+00:00"],
    ["sensor/x/config", { expire_after: 60 }],
    ["light/kitchen/state", "on"],
  ] as const)
    expect(readingsOf(`homeassistant/${topic}`, payload)).toEqual([]);
});
