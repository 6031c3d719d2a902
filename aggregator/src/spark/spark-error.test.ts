import { describe, expect, it } from "vitest";
import { restartDelayMs } from "../window-job/window-job-restarts.ts";
import { queryEnded } from "./spark-error.ts";

/** The text of Spark 4.1.2 after it was killed in the middle of a batch; the plan is cut. */
const message = `org.apache.spark.sql.streaming.StreamingQueryException: Cannot invoke "scala.collection.IterableOps.map(scala.Function1)" because the return value of "scala.Option.get()" is null
=== Streaming Query ===
Logical Plan:
~WriteToMicroBatchDataSource org.apache.spark.sql.kafka010.KafkaSourceProvider$KafkaTable@6ac0839f
   +- ~Aggregate [device_id#68059], [count(1) AS count#68099L]
`;
const stackTrace = `${message}
\tat org.apache.spark.sql.execution.streaming.runtime.StreamExecution.runStream(StreamExecution.scala:382)
Caused by: java.lang.NullPointerException: Cannot invoke "scala.collection.IterableOps.map(scala.Function1)"
\tat org.apache.spark.sql.kafka010.KafkaMicroBatchStream$.metrics(KafkaMicroBatchStream.scala:520)
`;

describe("a query that ended", () => {
  const ended = queryEnded({ message, stackTrace });

  it("is reported in one line, with a trace that does not contain the plan", () => {
    expect(ended.message).toBe(message.split("\n")[0]);
    expect(ended.trace).toContain("NullPointerException");
    expect(ended.trace).not.toContain("Aggregate");
  });

  it("is restarted at once if the failure is known to be temporary", () => {
    expect(restartDelayMs({ error: ended, failures: 1 })).toBe(0);
  });

  it("may have no trace", () => {
    expect(queryEnded({ message: "stopped", stackTrace: "" })).toMatchObject({
      kind: "failed",
      message: "stopped",
      trace: "",
    });
  });
});
