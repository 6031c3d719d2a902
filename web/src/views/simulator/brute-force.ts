/** A raw reading of one series. */
export type RawReading = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly atMs: number;
  readonly value: number;
};

/** A random query: some devices, a sensor and a timeframe in ms since 1970, `toMs` exclusive. */
export type RandomQuestion = {
  readonly deviceIds: readonly string[];
  readonly sensor: string;
  readonly sinceMs: number;
  readonly toMs: number;
};

/** The figures of an answer. Without readings only the count is set. */
export type FigureSet = {
  readonly count: number;
  readonly average?: number | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly firstMs?: number | undefined;
  readonly lastMs?: number | undefined;
};

/** Computes the figures by a pass over every reading. Pure. */
export function bruteForce(readings: readonly RawReading[], question: RandomQuestion): FigureSet {
  const found = readings.filter(
    ({ deviceId, sensor, atMs }) =>
      sensor === question.sensor &&
      question.deviceIds.includes(deviceId) &&
      atMs >= question.sinceMs &&
      atMs < question.toMs,
  );
  if (found.length === 0) return { count: 0 };
  const values = found.map(({ value }) => value);
  const times = found.map(({ atMs }) => atMs);
  return {
    count: found.length,
    average: values.reduce((sum, value) => sum + value, 0) / found.length,
    minimum: values.reduce((least, value) => Math.min(least, value)),
    maximum: values.reduce((most, value) => Math.max(most, value)),
    firstMs: times.reduce((least, ms) => Math.min(least, ms)),
    lastMs: times.reduce((most, ms) => Math.max(most, ms)),
  };
}

/** An average may differ by the order of its additions; everything else must be equal to the last digit. */
const averageError = 1e-12;

/** Whether two sets of figures are the same answer. Pure. */
export function isSameAnswer(one: FigureSet, other: FigureSet): boolean {
  const exact = ["count", "minimum", "maximum", "firstMs", "lastMs"] as const;
  if (exact.some((name) => one[name] !== other[name])) return false;
  if (one.average === undefined || other.average === undefined) return one.average === other.average;
  const size = Math.max(Math.abs(one.minimum ?? 0), Math.abs(one.maximum ?? 0), 1);
  return Math.abs(one.average - other.average) <= averageError * size;
}

/** Returns random queries over the readings; `random` returns numbers in [0, 1). Pure except for `random`. */
export function randomQuestions(
  readings: readonly RawReading[],
  span: { readonly sinceMs: number; readonly toMs: number },
  { count, random }: { readonly count: number; readonly random: () => number },
): RandomQuestion[] {
  const sensors = [...new Set(readings.map(({ sensor }) => sensor))];
  const pick = (least: number, most: number) => least + Math.floor(random() * (most - least));
  return Array.from({ length: count }, () => {
    const sensor = sensors[pick(0, sensors.length)] ?? "";
    const devices = [
      ...new Set(readings.filter((each) => each.sensor === sensor).map(({ deviceId }) => deviceId)),
    ];
    const chosen = devices.filter(() => random() < 0.5);
    const [one, other] = [pick(span.sinceMs, span.toMs), pick(span.sinceMs, span.toMs)];
    return {
      deviceIds: chosen.length > 0 ? chosen : devices.slice(0, 1),
      sensor,
      sinceMs: Math.min(one, other),
      toMs: Math.max(one, other) + 1,
    };
  });
}
