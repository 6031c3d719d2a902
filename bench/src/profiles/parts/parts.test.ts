import { describe, expect, it } from "vitest";
import {
  answersFrames,
  embeddedFrames,
  type FramesByPart,
  kafkaFrames,
} from "../../../testing/profile-frames.ts";
import { sharedJavaFrames, sparkFrames } from "../../../testing/profile-java-frames.ts";
import { answersParts, embeddedParts, kafkaParts } from "./node-parts.ts";
import { otherPart, type Part, partOfFrame, partOfStack, sharesByPart } from "./part.ts";
import { sparkParts } from "./spark-parts.ts";

const paths: readonly (readonly [string, readonly Part[], FramesByPart])[] = [
  ["kafka", kafkaParts, kafkaFrames],
  ["windows", sparkParts, sparkFrames],
  ["answers", answersParts, answersFrames],
  ["embedded", embeddedParts, embeddedFrames],
];

describe.each(paths)("the parts of %s", (_, parts, framesByPart) => {
  it.each(Object.entries(framesByPart))("recognise the frames of %s", (part, frames) => {
    expect(frames.map((frame) => [frame, partOfFrame(parts, frame)])).toEqual(
      frames.map((frame) => [frame, part]),
    );
  });

  it("have examples each", () => {
    expect(new Set(Object.keys(framesByPart))).toEqual(new Set(parts.map(({ name }) => name)));
  });
});

it("leave what several parts call to its caller", () => {
  expect(sharedJavaFrames.map((frame) => partOfFrame(sparkParts, frame))).toEqual(
    sharedJavaFrames.map(() => undefined),
  );
  for (const frame of [
    "copy (native)",
    "FastBuffer node:internal/buffer:960",
    "isoMilliseconds proto/src/timestamp.ts:10",
  ]) {
    expect([frame, partOfFrame(kafkaParts, frame)]).toEqual([frame, undefined]);
  }
});

const parts: readonly Part[] = [
  { name: "copies", frames: /^copy/ },
  { name: "encoding", frames: /^encode/ },
  { name: "calls", frames: /^(call|encode)/ },
];
const stack = (...frames: readonly string[]) => ({ frames, weight: 1 });

it("counts a stack for the innermost frame that a part recognises, and a frame for the first such part", () => {
  expect(partOfStack(parts, stack("call", "encode", "copy"))).toBe("copies");
  expect(partOfStack(parts, stack("call", "encode", "unknown"))).toBe("encoding");
  expect(partOfStack(parts, stack("encode", "call", "unknown"))).toBe("calls");
  expect(partOfStack(parts, stack("unknown"))).toBe(otherPart);
});

it("adds up the shares of the parts, the largest first", () => {
  expect(
    sharesByPart(parts, [
      stack("call"),
      stack("encode"),
      stack("call", "unknown"),
      { frames: ["x"], weight: 5 },
    ]),
  ).toEqual([
    { name: otherPart, share: 5 / 8 },
    { name: "calls", share: 2 / 8 },
    { name: "encoding", share: 1 / 8 },
  ]);
});
