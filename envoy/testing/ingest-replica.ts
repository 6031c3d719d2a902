// For tests: one replica of ingest in a process that can be killed. It writes the readings that it acknowledges to a
// file.
import { appendFileSync } from "node:fs";
import { ingestConfig, startIngest } from "@devicemesh/ingest";
import { createMemoryMessageLog } from "@devicemesh/ingest/testing/memory-message-log";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { identityOf } from "@devicemesh/proto";
import { readContractImage } from "@devicemesh/proto/image";

const file = process.argv[2];
if (file === undefined) throw new Error("usage: ingest-replica.ts FILE");
const memory = createMemoryMessageLog();
const ingest = await startIngest(ingestConfig({ port: 0 }), {
  log: {
    async append(batch) {
      const before = memory.messages.length;
      const appended = await memory.log.append(batch);
      appendFileSync(
        file,
        memory.messages
          .slice(before)
          .map((message) => `${identityOf(message)}\n`)
          .join(""),
      );
      return appended;
    },
  },
  clock: Date.now,
  logger: silentLogger(),
  image: readContractImage(),
});
process.stdout.write(`listening on ${ingest.port}\n`);
