import { describe, expect, it } from "vitest";
import { windowSessionId } from "./window-job-session.ts";

describe("the session of a mesh", () => {
  it("has a UUID that is always the same", () => {
    const id = windowSessionId({ topicPrefix: "a-", database: "mesh" });
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(windowSessionId({ topicPrefix: "a-", database: "mesh" })).toBe(id);
  });

  it("has another UUID for another mesh", () => {
    const ids = [
      { topicPrefix: "", database: "mesh" },
      { topicPrefix: "a", database: "mesh" },
      { topicPrefix: "", database: "amesh" },
    ].map(windowSessionId);
    expect(new Set(ids).size).toBe(3);
  });
});
