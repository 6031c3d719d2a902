import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BucketSchema } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { expect, it } from "vitest";
import { formatError } from "../format/numbers.ts";
import { pointOf } from "./lines.ts";

const pointWith = (...errors: readonly number[]) =>
  pointOf(
    create(BucketSchema, {
      start: timestampFromMs(0),
      end: timestampFromMs(10_000),
      row: {
        count: 3n,
        average: 2,
        quantiles: errors.map((relativeError) => ({ quantile: 0.5, value: 2, relativeError })),
      },
    }),
  );

it("states the largest error of the percentiles of a bucket, and none if they are exact", () => {
  expect(pointWith(0, 1 / 512, 0)).toMatchObject({ quantiles: [2, 2, 2], quantileError: 1 / 512 });
  expect(pointWith(0, 0)).not.toHaveProperty("quantileError");
  expect(pointWith()).not.toHaveProperty("quantiles");
});

it("shows an error in per cent", () => {
  expect(formatError(1 / 512)).toBe("± 0.2 %");
  expect(formatError(0)).toBe("");
});
