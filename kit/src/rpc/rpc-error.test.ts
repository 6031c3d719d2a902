import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { describe, expect, it } from "vitest";
import { invalidArgument, RpcError, resourceExhausted, toStatus, unavailable } from "./rpc-error.ts";
import { detailViolationsMax } from "./rpc-error-details.ts";

describe("toStatus", () => {
  it("returns an invalid argument with its field, text and reason", () => {
    const status = toStatus(
      invalidArgument({ field: "since", description: "is after to", reason: "range.order" }),
    );
    expect(status).toMatchObject({ code: 3, message: "since: is after to", internal: false });
    const badRequest = anyUnpack(status.details[0]!, BadRequestSchema)!;
    expect(badRequest.fieldViolations).toHaveLength(1);
    expect(badRequest.fieldViolations[0]).toMatchObject({
      field: "since",
      description: "is after to",
      reason: "range.order",
    });
  });

  it("returns an exceeded limit with its subject", () => {
    const status = toStatus(resourceExhausted({ subject: "frame", description: "at most 1000" }));
    expect(status).toMatchObject({ code: 8, message: "frame: at most 1000", internal: false });
    expect(anyUnpack(status.details[0]!, QuotaFailureSchema)!.violations[0]).toMatchObject({
      subject: "frame",
      description: "at most 1000",
    });
  });

  it.each([
    [0, 0n, 0],
    [1500, 1n, 500_000_000],
    [86_400_001, 86_400n, 1_000_000],
    [-5, 0n, 0],
  ])("encodes a retry after %d ms as seconds and nanos", (retryDelayMs, seconds, nanos) => {
    const status = toStatus(unavailable({ message: "closing", retryDelayMs }));
    expect(status).toMatchObject({ code: 14, message: "closing", internal: false });
    expect(anyUnpack(status.details[0]!, RetryInfoSchema)!.retryDelay).toMatchObject({ seconds, nanos });
  });

  it("returns an error info with its metadata", () => {
    const error = new RpcError({
      code: "PERMISSION_DENIED",
      message: "not yours",
      details: [{ kind: "errorInfo", reason: "NOT_YOURS", domain: "example", metadata: { owner: "other" } }],
    });
    const status = toStatus(error);
    expect(status.code).toBe(7);
    expect(anyUnpack(status.details[0]!, ErrorInfoSchema)).toMatchObject({
      reason: "NOT_YOURS",
      domain: "example",
      metadata: { owner: "other" },
    });
  });

  it("never returns the cause", () => {
    const error = unavailable({ message: "later", retryDelayMs: 1, cause: new Error("password 123") });
    expect(error.cause).toBeInstanceOf(Error);
    expect(
      JSON.stringify(toStatus(error), (_, value) => (typeof value === "bigint" ? String(value) : value)),
    ).not.toContain("password");
  });

  it.each([
    ["an Error", new Error("secret")],
    ["a text", "secret"],
    ["nothing", undefined],
    ["null", null],
    ["an object that looks like one", { code: "NOT_FOUND", message: "secret", details: [] }],
  ])("returns %s as INTERNAL with a fixed text", (_, foreign) => {
    expect(toStatus(foreign)).toEqual({ code: 13, message: "internal error", details: [], internal: true });
  });

  it("requests a log entry for an INTERNAL error of our own", () => {
    const status = toStatus(new RpcError({ code: "INTERNAL", message: "a page could not be read" }));
    expect(status).toMatchObject({ code: 13, message: "a page could not be read", internal: true });
  });

  it("has at most as many violations as fit into a trailer", () => {
    const violations = Array.from({ length: 100 }, (_, i) => ({
      field: `f[${i}]`,
      description: "bad",
      reason: "r",
    }));
    const status = toStatus(
      new RpcError({
        code: "INVALID_ARGUMENT",
        message: "bad",
        details: [{ kind: "badRequest", violations }],
      }),
    );
    const reported = anyUnpack(status.details[0]!, BadRequestSchema)!.fieldViolations;
    expect(reported).toHaveLength(detailViolationsMax);
    expect(reported.at(-1)!.field).toBe(`f[${detailViolationsMax - 1}]`);
  });
});
