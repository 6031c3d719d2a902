import { valueBucket } from "@devicemesh/query";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, it } from "vitest";
import { valueBucketSql } from "./sketch-sql.ts";

it("the SQL of a value bucket equals the bucket that query computes, for every double", async () => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("CREATE TABLE numbers (place INTEGER, value DOUBLE)");
  const values = fc.sample(
    fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -1100, max: 1100, noNaN: true }),
      fc.integer({ min: -1074, max: 1023 }).map((exponent) => -(2 ** exponent)),
      fc.integer({ min: -1074, max: 1023 }).map((exponent) => 2 ** exponent),
    ),
    5000,
  );
  const some = [0, -0, 2 ** -1022, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE];
  const all = [...some, ...values];
  const appender = await connection.createAppender("numbers");
  for (const [place, value] of all.entries()) {
    appender.appendInteger(place);
    appender.appendDouble(value);
    appender.endRow();
  }
  appender.closeSync();
  const found = await connection.runAndReadAll(
    `SELECT ${valueBucketSql("value")} FROM numbers ORDER BY place`,
  );
  // Not -0, which is the bucket of no value.
  expect(found.getColumns()[0]).toEqual(all.map((value) => valueBucket(value) + 0));
  connection.closeSync();
  instance.closeSync();
});
