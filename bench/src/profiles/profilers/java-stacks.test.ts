import { expect, it } from "vitest";
import { javaStacks } from "./java-stacks.ts";

const printed = `jdk.ExecutionSample {
  startTime = 18:00:00.123
  sampledThread = "Executor task launch worker for task 0.0 in stage 9.0 (TID 41)" (javaThreadId = 77)
  state = "STATE_RUNNABLE"
  stackTrace = [
    java.util.HashMap.get(Object) line: 556
    org.apache.spark.sql.Plan$$Lambda$2712+0x00007f5b54a1.apply(Object)
    java.lang.Thread.run() line: 840
  ]
}

jdk.ExecutionSample {
  startTime = 18:00:00.143
  sampledThread = "stream execution thread" (javaThreadId = 78)
  state = "STATE_RUNNABLE"
  stackTrace = [
    java.util.HashMap.get(Object) line: 559
    org.apache.spark.sql.Plan$$Lambda$2799+0x00007f5b99ff.apply(Object)
    java.lang.Thread.run() line: 840
    ...
  ]
}

jdk.ExecutionSample {
  startTime = 18:00:00.163
  stackTrace = [
    scala.Some.get() line: 1
  ]
}
`;

it("counts samples with the same methods, the outermost first, whatever their lines, lambdas and threads are", () => {
  expect(javaStacks(printed)).toEqual([
    {
      frames: ["java.lang.Thread.run", "org.apache.spark.sql.Plan$$Lambda.apply", "java.util.HashMap.get"],
      weight: 2,
    },
    { frames: ["scala.Some.get"], weight: 1 },
  ]);
});

it("finds no stack in an output without samples", () => {
  expect(javaStacks("")).toEqual([]);
});
