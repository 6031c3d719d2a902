// For tests: the backend in a process that can be stopped.
import { startBackend } from "./backend-fixture.ts";

const backend = await startBackend();
process.stdout.write(`listening on ${backend.port}\n`);
