// Prints, in the last line, the folder of a store with this number of readings, and creates it if it does not exist.
import { prepareQueryStore } from "../../query/query-store.ts";

const [cache, readings] = process.argv.slice(2);
if (cache === undefined || readings === undefined)
  throw new Error("usage: stored-readings.ts CACHE READINGS");
const progress = (line: string): void => void process.stdout.write(`${line}\n`);
progress(await prepareQueryStore({ cache, readings: Number(readings), progress }));
