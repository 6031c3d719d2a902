// Import in a separate process: `import-process.ts FILES… [flags]`. Prints its resource usage as one line of JSON.
import { Readable } from "node:stream";
import { systemClock } from "@devicemesh/client/clock";
import { runImport } from "@devicemesh/import";

let output = "";
const write = (text: string) => (output += text);
const beganMs = performance.now();
const code = await runImport({
  args: process.argv.slice(2),
  env: {},
  stdin: Readable.from([]),
  stdout: { write },
  stderr: { write },
  clock: systemClock,
  interrupted: new AbortController().signal,
});
const wallMs = performance.now() - beganMs;
const { user, system } = process.cpuUsage();
const peakMib = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ code, wallMs, cpuMs: (user + system) / 1000, peakMib, output })}\n`);
