import { systemClock } from "@devicemesh/client/clock";
import { untilShutdownSignal } from "@devicemesh/kit/lifetime/shutdown-signal";
import { runCli } from "./cli.ts";

const interruption = new AbortController();
void untilShutdownSignal().then(() => interruption.abort());

process.exitCode = await runCli({
  args: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  interrupted: interruption.signal,
});
