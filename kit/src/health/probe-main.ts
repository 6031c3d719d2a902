import { runProbe } from "./probe-cli.ts";

const { exitCode, stdout, stderr } = await runProbe(process.argv.slice(2));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exitCode;
