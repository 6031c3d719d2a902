// Appends unit after unit to a store, and writes the number of each to a file once it is acknowledged:
// `store-process.ts FOLDER ACKS UNITS`. record-writes.c records its file operations.
import { mkdirSync, openSync, writeSync } from "node:fs";
import { createDiskReserve } from "../../src/admission.ts";
import { openEmbeddedStore } from "../../src/duckdb-store.ts";
import { unitOf } from "./units.ts";

const [folder = "", acks = "", units = "0"] = process.argv.slice(2);
mkdirSync(folder);
const acknowledged = openSync(acks, "a");
let nowMs = Date.UTC(2026, 10, 24, 12);
const store = await openEmbeddedStore({
  folder,
  clock: () => nowMs,
  // A small reserve means small write-ahead logs, and therefore many checkpoints.
  reserve: createDiskReserve({ folder, minFreeBytes: 4 * 1024 ** 2 }),
});
for (let unit = 0; unit < Number(units); unit++) {
  await store.log.append(unitOf(unit));
  writeSync(acknowledged, `${unit}\n`);
  nowMs += 3000;
  if (unit % 10 === 9) await store.maintain();
}
// Without closing: closing would sync data too late for a power loss.
process.exit(0);
