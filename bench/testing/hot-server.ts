// A server for tests of the profiler: answers requests after work in `burnCpu`.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

function burnCpu(): number {
  let sum = 0;
  for (let i = 0; i < 20_000_000; i++) sum += Math.sqrt(i);
  return sum;
}

const server = createServer((_, response) => response.end(String(burnCpu())));
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
process.once("SIGTERM", () => process.exit());
