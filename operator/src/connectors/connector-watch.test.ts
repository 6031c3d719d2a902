import { describe, expect, it } from "vitest";
import type { ConnectorState } from "./connect-rest.ts";
import { createConnectorWatch } from "./connector-watch.ts";

/** A watch over a connector whose state and progress the test sets. */
function watched() {
  const world = {
    state: { state: "RUNNING", tasks: [{ id: 0, state: "RUNNING" }] } as ConnectorState | undefined,
    progress: { committed: 0, lag: 0 },
    asked: [] as string[],
    restarted: [] as string[],
  };
  const watch = createConnectorWatch({
    definition: { name: "sink", topic: "messages", config: {} },
    rest: {
      readState: async () => world.state,
      async restartFailed(name) {
        world.restarted.push(name);
      },
    },
    async readProgress(groupId, topic) {
      world.asked.push(`${groupId} ${topic}`);
      return world.progress;
    },
    stuckAfterMs: 1000,
    delays: { firstMs: 100, longestMs: 400, calmMs: 1000 },
  });
  return { world, watch };
}

const trace =
  "org.apache.kafka.ConnectException: put failed\n\tat a.b\nCaused by: TimeoutException: no server";

describe("a watched connector", () => {
  it("has no problems while it runs, and reports its lag", async () => {
    const { world, watch } = watched();
    world.progress = { committed: 7, lag: 3 };
    expect(await watch.observe(0)).toEqual({
      document: {
        name: "sink",
        state: "RUNNING",
        tasks: [{ id: 0, state: "RUNNING", error: null }],
        lag: 3,
        restarts: 0,
      },
      problems: [],
      missing: false,
    });
    expect(world.asked).toEqual(["connect-sink messages"]);
    expect(world.restarted).toEqual([]);
  });

  it("reports a failure without the password in its trace", async () => {
    const { world, watch } = watched();
    const failed = "ConfigException: cannot use mongodb://sink:s3cret@db/";
    world.state = { state: "RUNNING", tasks: [{ id: 0, state: "FAILED", trace: failed }] };
    const reported = JSON.stringify(await watch.observe(0));
    expect(reported).toContain("cannot use mongodb://sink:…@db/");
    expect(reported).not.toContain("s3cret");
  });

  it("names a full disk of the database", async () => {
    const { world, watch } = watched();
    const failed =
      "org.apache.kafka.connect.errors.DataException: put failed\n\tat a.b\nCaused by: com.mongodb.MongoCommandException: Command failed with error 14031 (OutOfDiskSpace): 'disk'";
    world.state = { state: "RUNNING", tasks: [{ id: 0, state: "FAILED", trace: failed }] };
    expect((await watch.observe(0)).problems).toContainEqual(
      expect.stringMatching(/^sink sink: the disk of the database is full: add space/),
    );
    world.state = { state: "RUNNING", tasks: [{ id: 0, state: "FAILED", trace }] };
    expect(JSON.stringify((await watch.observe(1)).problems)).not.toContain("disk");
  });

  it("is restarted when a task has failed, even if the connector reports RUNNING", async () => {
    const { world, watch } = watched();
    world.state = {
      state: "RUNNING",
      tasks: [
        { id: 0, state: "RUNNING" },
        { id: 1, state: "FAILED", trace },
      ],
    };
    const observation = await watch.observe(0);
    expect(world.restarted).toEqual(["sink"]);
    expect(observation.problems).toEqual([
      "task 1 of connector sink is FAILED: org.apache.kafka.ConnectException: put failed (TimeoutException: no server)",
    ]);
    expect(observation.document.restarts).toBe(1);
    await watch.observe(50);
    expect(world.restarted.length).toBe(1);
    await watch.observe(100);
    expect(world.restarted.length).toBe(2);
  });

  it("is missing when Kafka Connect does not know it", async () => {
    const { world, watch } = watched();
    world.state = undefined;
    expect(await watch.observe(0)).toMatchObject({
      missing: true,
      problems: ["connector sink is missing"],
      document: { state: "MISSING", tasks: [] },
    });
    expect(world.restarted).toEqual([]);
  });

  it("is a problem, and is not restarted, while it is paused, has no tasks, or has unassigned tasks", async () => {
    const { world, watch } = watched();
    world.state = { state: "PAUSED", tasks: [] };
    expect((await watch.observe(0)).problems).toEqual([
      "connector sink is PAUSED",
      "connector sink has no tasks yet",
    ]);
    world.state = { state: "RUNNING", tasks: [{ id: 3, state: "UNASSIGNED" }] };
    expect((await watch.observe(1)).problems).toEqual(["task 3 of connector sink is UNASSIGNED"]);
    expect(world.restarted).toEqual([]);
  });

  it("is stuck when records wait and none is stored for a long time", async () => {
    const { world, watch } = watched();
    world.progress = { committed: 7, lag: 3 };
    await watch.observe(0);
    expect((await watch.observe(1000)).problems).toEqual([]);
    expect((await watch.observe(2000)).problems).toEqual([
      "sink sink is stuck: 3 records wait, and it has stored none for 2 s",
    ]);
    world.progress = { committed: 8, lag: 30 };
    expect((await watch.observe(3000)).problems).toEqual([]);
  });
});
