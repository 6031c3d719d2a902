// Preloaded into a server with `--import`: profiles its main thread from the beginning, because V8 records which
// functions are inlined in a function only if it compiles that under a profiler. The signal SIGUSR2 marks the time from
// which samples count; the next one ends the profile, and writes it and that time to the file that the query of this
// module's URL names.
import { rename, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";

const file = new URL(import.meta.url).searchParams.get("file") ?? "";
if (file === "") throw new Error("usage: --import node-profiler.ts?file=FILE");
let sinceMicros: number | undefined;
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.start");

async function write(): Promise<void> {
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  await writeFile(`${file}.part`, JSON.stringify({ profile, sinceMicros }));
  await rename(`${file}.part`, file);
}

process.on("SIGUSR2", () => {
  if (sinceMicros !== undefined) void write();
  // The clock of profiles.
  else sinceMicros = Number(process.hrtime.bigint() / 1000n);
});
