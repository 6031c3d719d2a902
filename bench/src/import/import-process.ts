// Import in a separate process: `import-process.ts FILES… [flags]`. Prints its resource usage as one line of JSON.
import { importRecordings } from "@devicemesh/import/testing/run-import";

const beganMs = performance.now();
const { code, output } = await importRecordings(process.argv.slice(2));
const wallMs = performance.now() - beganMs;
const { user, system } = process.cpuUsage();
const peakMib = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ code, wallMs, cpuMs: (user + system) / 1000, peakMib, output })}\n`);
