import { describe, expect, it } from "vitest";
import { reasonOf } from "./failure-reason.ts";

describe("a reason", () => {
  it("is one line: the message and that of the last cause", () => {
    const root = new Error("getaddrinfo ENOTFOUND kafka-1");
    const error = new Error("the message log\n cannot be reached", {
      cause: new Error("Connection error", { cause: root }),
    });
    expect(reasonOf(error)).toBe("the message log cannot be reached: getaddrinfo ENOTFOUND kafka-1");
  });

  it("contains no text twice, and accepts values that are not errors", () => {
    const root = new Error("connect ECONNREFUSED 127.0.0.1:1");
    expect(reasonOf(new Error(`Connection error: ${root.message}`, { cause: root }))).toBe(
      "Connection error: connect ECONNREFUSED 127.0.0.1:1",
    );
    expect(reasonOf("closed")).toBe("closed");
    expect(reasonOf(undefined)).toBe("unknown");
    expect(reasonOf(new AggregateError([root], ""))).toBe(root.message);
  });

  it("contains no password, and has a bounded length", () => {
    const error = new Error(`mongodb://user:s3cret@db is not there ${"x".repeat(1000)}`);
    expect(reasonOf(error)).not.toContain("s3cret");
    expect(reasonOf(error)).toHaveLength(400);
  });

  it("ends if the causes form a cycle", () => {
    const error = new Error("round");
    error.cause = error;
    expect(reasonOf(error)).toBe("round");
  });
});
