import { describe, expect, it } from "vitest";
import { waitUntil } from "./test-helpers.ts";

describe("waitUntil", () => {
  it("polls until the condition is true", async () => {
    let asked = 0;
    await waitUntil(() => {
      asked += 1;
      return asked === 3;
    });
    expect(asked).toBe(3);
  });

  it("accepts an asynchronous condition", async () => {
    let asked = 0;
    await waitUntil(async () => {
      asked += 1;
      return asked === 2;
    });
    expect(asked).toBe(2);
  });

  it("names the condition that did not become true within the limit", async () => {
    await expect(waitUntil(() => false, { timeoutMs: 20, what: "the moon" })).rejects.toThrow(
      "not within 20 ms: the moon",
    );
  });

  it("passes on what the condition throws", async () => {
    const condition = () => {
      throw new Error("broken");
    };
    await expect(waitUntil(condition)).rejects.toThrow("broken");
  });
});
