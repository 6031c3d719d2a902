/** Units by quantity; each with its names, and its size in the first unit of the line as a fraction. */
type UnitLine = readonly { readonly names: readonly string[]; readonly size: readonly [number, number] }[];

const line = (
  ...units: readonly (readonly [names: string, numerator: number, denominator?: number])[]
): UnitLine =>
  units.map(([names, numerator, denominator = 1]) => ({
    names: names.split("|"),
    size: [numerator, denominator],
  }));

/**
 * Units that are multiples of each other. Definitions: SI; the international inch, pound and nautical mile;
 * conventional mmHg (13595.1 kg/m³ and 9.80665 m/s²: 133.322387415 Pa); standard atmosphere.
 */
export const unitLines: readonly UnitLine[] = [
  line(
    ["Pa|pascal|pascals", 1],
    ["hPa|hectopascal|mbar|mb|millibar|millibars", 100],
    ["kPa|kilopascal", 1000],
    ["MPa", 1_000_000],
    ["bar", 100_000],
    ["inHg|in Hg|in-Hg|[in_i'Hg]", 3_386_388_640_341, 1_000_000_000],
    ["mmHg|mm Hg|mm-Hg|mm[Hg]|torr", 133_322_387_415, 1_000_000_000],
    ["psi|lbf/in2|[psi]", 44_482_216_152_605, 6_451_600_000],
    ["atm", 101_325],
  ),
  line(
    ["1|fraction|ratio", 1],
    ["%|percent|pct|% rh|%rh|percent rh", 1, 100],
    ["‰|permille", 1, 1000],
    ["ppm|[ppm]", 1, 1_000_000],
    ["ppb|[ppb]", 1, 1_000_000_000],
  ),
  line(
    ["m/s|mps|meters/second", 1],
    ["km/h|kmh|kph", 1000, 3600],
    ["mph|mi/h|[mi_i]/h", 1_609_344, 3_600_000],
    ["kn|kt|kts|knot|knots|[kn_i]", 1852, 3600],
    ["ft/s", 3048, 10_000],
  ),
  line(
    ["m|meter|meters|metre|metres", 1],
    ["mm|millimeter|millimeters|millimetre|millimetres", 1, 1000],
    ["cm|centimeter|centimeters", 1, 100],
    ["km|kilometer|kilometers", 1000],
    ["µm|um|micrometer", 1, 1_000_000],
    ["in|inch|inches|[in_i]", 254, 10_000],
    ["ft|foot|feet|[ft_i]", 3048, 10_000],
    ["yd|yard|yards", 9144, 10_000],
    ["mi|mile|miles|[mi_i]", 1_609_344, 1000],
  ),
  line(["mm/h", 1], ["in/h|iph", 254, 10]),
  line(
    ["kg|kilogram|kilograms", 1],
    ["g|gram|grams", 1, 1000],
    ["mg", 1, 1_000_000],
    ["t|tonne", 1000],
    ["lb|lbs|pound|pounds|[lb_av]", 45_359_237, 100_000_000],
    ["oz|ounce|ounces|[oz_av]", 45_359_237, 1_600_000_000],
  ),
  line(
    ["J|joule|joules", 1],
    ["kJ", 1000],
    ["MJ", 1_000_000],
    ["GJ", 1_000_000_000],
    ["Wh|W.h", 3600],
    ["kWh|kW.h", 3_600_000],
    ["MWh", 3_600_000_000],
  ),
  line(["W|watt|watts", 1], ["mW", 1, 1000], ["kW|kilowatt|kilowatts", 1000], ["MW", 1_000_000]),
  line(["V|volt|volts", 1], ["mV|millivolt|millivolts", 1, 1000], ["kV", 1000]),
  line(["A|ampere|amperes|amp|amps", 1], ["mA|milliampere", 1, 1000], ["µA|uA", 1, 1_000_000]),
  line(["Hz|hertz", 1], ["kHz", 1000], ["MHz", 1_000_000], ["GHz", 1_000_000_000]),
  line(["1/min|/min|count/min|bpm|beats/min|beats per minute|rpm|{beats}/min", 1], ["1/s|/s", 60]),
  line(["lx|lux", 1], ["klx|klux", 1000], ["fc|footcandle", 1_000_000, 92_903.04]),
  line(
    ["µg/m³|ug/m3|µg/m3|ug/m³|ug/m^3|µg/m^3", 1],
    ["mg/m³|mg/m3|mg/m^3", 1000],
    ["ng/m³|ng/m3|ng/m^3", 1, 1000],
  ),
  line(
    ["L|l|liter|liters|litre|litres", 1],
    ["mL|ml", 1, 1000],
    ["m³|m3|m^3", 1000],
    ["gal|gallon|gallons|[gal_us]", 3_785_411_784, 1_000_000_000],
  ),
  line(
    ["L/min|l/min|lpm", 1],
    ["L/h|l/h", 1, 60],
    ["L/s|l/s", 60],
    ["m³/h|m3/h|m^3/h", 1000, 60],
    ["m³/s|m3/s", 60_000],
    ["gal/min|gpm", 3_785_411_784, 1_000_000_000],
  ),
  line(["dB|decibel|decibels|dBA|dB(A)|dB SPL|dB[SPL]", 1]),
  line(["°|deg|degree|degrees", 1], ["rad", 180, Math.PI]),
  line(["µS/cm|uS/cm", 1], ["mS/cm|dS/m", 1000], ["S/m", 10_000]),
  line(["m/s²|m/s2|m/s^2", 1], ["gn|[g]", 980_665, 100_000]),
  line(["s|sec|second|seconds", 1], ["ms", 1, 1000], ["min|minute|minutes", 60], ["h|hour|hours", 3600]),
  line(["pH|[pH]", 1]),
];

/** The temperature scales, which also differ by an offset. */
export const temperatureNames = {
  "°C": "°C|C|degC|deg C|deg. C|Cel|celsius|℃|degrees celsius|degree celsius|degrees C|ºC",
  "°F": "°F|F|degF|deg F|deg. F|[degF]|fahrenheit|℉|degrees fahrenheit|degrees F|ºF",
  K: "K|kelvin|kelvins",
} as const;
