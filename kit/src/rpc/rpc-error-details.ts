import { create } from "@bufbuild/protobuf";
import { type Any, anyPack, type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";

/** The machine-readable part of an error, besides its code. It is sent as the google.rpc message of the same name. */
export type RpcErrorDetail =
  | {
      readonly kind: "badRequest";
      readonly violations: readonly {
        readonly field: string;
        readonly description: string;
        readonly reason: string;
      }[];
    }
  | {
      readonly kind: "quotaFailure";
      readonly violations: readonly { readonly subject: string; readonly description: string }[];
    }
  | { readonly kind: "retryInfo"; readonly retryDelayMs: number }
  | {
      readonly kind: "errorInfo";
      readonly reason: string;
      readonly domain: string;
      readonly metadata: Readonly<Record<string, string>>;
    };

/**
 * Maximum number of violations in one detail; further ones are left out. Details are sent in a trailer, and clients
 * reject trailers of more than a few KiB.
 */
export const detailViolationsMax = 20;

/** Packs a detail into a google.protobuf.Any for google.rpc.Status. */
export function packErrorDetail(detail: RpcErrorDetail): Any {
  switch (detail.kind) {
    case "badRequest":
      return anyPack(
        BadRequestSchema,
        create(BadRequestSchema, { fieldViolations: detail.violations.slice(0, detailViolationsMax) }),
      );
    case "quotaFailure":
      return anyPack(
        QuotaFailureSchema,
        create(QuotaFailureSchema, { violations: detail.violations.slice(0, detailViolationsMax) }),
      );
    case "retryInfo":
      return anyPack(
        RetryInfoSchema,
        create(RetryInfoSchema, { retryDelay: durationFromMs(detail.retryDelayMs) }),
      );
    case "errorInfo":
      return anyPack(
        ErrorInfoSchema,
        create(ErrorInfoSchema, {
          reason: detail.reason,
          domain: detail.domain,
          metadata: { ...detail.metadata },
        }),
      );
  }
}

function durationFromMs(durationMs: number): Duration {
  const whole = Math.max(0, Math.round(durationMs));
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(whole / 1000)),
    nanos: (whole % 1000) * 1_000_000,
  });
}
