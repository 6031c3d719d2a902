import { builtInSensors } from "@devicemesh/proto";
// A store that only appends readings and folds them, with a clock that runs ahead, for the fold-kill test to kill.
// Prints a line with the number of readings after each acknowledgement.
import { openEmbeddedStore } from "@devicemesh/store-duckdb";

const [folder = "", start = "0", first = "0"] = process.argv.slice(2);
let nowMs = Number(start);
let count = Number(first);
const batchReadings = 400;
// The same for every process: readings that are sent again are duplicates.
const firstMs = Date.UTC(2026, 4, 31);
const store = await openEmbeddedStore({ folder, clock: () => nowMs });
for (;;) {
  const numbers = Array.from({ length: batchReadings }, (_, place) => count + place);
  await store.log.append({
    length: batchReadings,
    deviceIds: numbers.map((number) => `fold-${number % 7}`),
    sensors: builtInSensors,
    sensorCodes: new Uint16Array(batchReadings),
    timestampsMs: Float64Array.from(numbers, (number) => firstMs + number * 977),
    values: Float64Array.from(numbers, (number) => (number * 31) % 90),
  });
  count += batchReadings;
  process.stdout.write(`${count} ${nowMs}\n`);
  // Some steps close a segment of one level, some of all.
  nowMs += [3_000, 10_000, 600_000, 86_400_000][count % 4 === 0 ? (count / batchReadings) % 4 : 0] ?? 0;
  await store.maintain();
}
