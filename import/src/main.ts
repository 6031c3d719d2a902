import { systemClock } from "@devicemesh/client/clock";
import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { runImport } from "./start.ts";

const interruption = new AbortController();
void untilShutdownSignal().then(() => interruption.abort());

const { stdin, stdout, stderr, env } = process;
const context = { stdin, stdout, stderr, env, clock: systemClock, interrupted: interruption.signal };
process.exitCode = await runImport({ ...context, args: process.argv.slice(2) });
// Standard input may still be open, and would keep the process alive.
process.exit();
