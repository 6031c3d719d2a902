import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { createMongoRetentionStore, createRetentionKeeper, indexDefinitions } from "@devicemesh/operator";
import { defaultLevels, nothingDeleted, type Retention } from "@devicemesh/proto";
import { describeChangingRetention } from "@devicemesh/query/testing/contracts/changing-retention.contract";
import { openMeshFixture } from "@devicemesh/query/testing/mongo/mongo-mesh-fixture";
import { describe } from "vitest";
import { createRepairStep } from "../levels/maintenance-step.ts";
import { createProgress } from "../status/progress.ts";
import { createMongoStore } from "./mongo-store.ts";

const engines = await testEngines();
const { signal } = new AbortController();

describe.skipIf(!engines)("the mesh's database", () => {
  const database = {
    url: engines?.mongodbUrl ?? "",
    indexes: indexDefinitions({ levels: defaultLevels }),
  };

  describeChangingRetention(
    "MongoDB",
    async (first) => {
      const mesh = await openMeshFixture(database);
      const { db, nowMs } = mesh;
      const store = createMongoRetentionStore({ db, levels: defaultLevels, clock: nowMs });
      await store.raiseMarks(nothingDeleted(defaultLevels));
      let acceptedSinceMs = Number.NEGATIVE_INFINITY;
      const open = (retention: Retention) =>
        createRetentionKeeper({
          store,
          announce: async (ms) => {
            acceptedSinceMs = ms;
          },
          levels: defaultLevels,
          retention,
          clock: nowMs,
        });
      let keeper = open(first);
      const aggregator = createMongoStore({ db, levels: defaultLevels, clock: nowMs });
      const settings = { levels: defaultLevels, partitions: 1 };
      let folds = 0;
      return {
        store: () => mesh.store,
        publish: mesh.publish,
        async fold() {
          await mesh.fold({ isSlow: folds++ % 3 === 1 });
          const published = await aggregator.readFrontier();
          const progress = createProgress(settings, published, nowMs());
          await createRepairStep({ progress, store: aggregator, clock: nowMs })(signal);
          while ((await keeper.step()).isMoreDue);
          await mesh.noticeDeleted();
        },
        advance: mesh.advance,
        nowMs,
        earliestAcceptedMs: () => acceptedSinceMs,
        async restart(retention) {
          keeper = open(retention);
        },
        close: mesh.close,
      };
    },
    { runs: 8 },
  );
});
