import type { IngestConfig } from "../limits.ts";
import type { MessageLog } from "../log/message-log.ts";
import type { FrameIntake } from "./frame-intake.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { ReadingCapacity } from "./reading-capacity.ts";

/** What both methods share, over every protocol. */
export type PublishDependencies = {
  readonly calls: OpenCalls;
  readonly intake: FrameIntake;
  readonly log: MessageLog;
  readonly room: ReadingCapacity;
  readonly config: IngestConfig;
};
