import { fromBinary } from "@bufbuild/protobuf";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenFrameBytes, frameBytes as legalFrame } from "../../testing/frame-bytes.ts";
import { rowsOf } from "../../testing/frame-rows.ts";
import { createFrameDecoder } from "../wire/frame-decoder.ts";
import { createDeviceIds } from "../wire/wire.ts";
import { frameBytes, frameSchemaOf } from "./frame-messages.ts";

const decode = createFrameDecoder({ deviceIds: createDeviceIds({ slots: 64 }) });
const schema = frameSchemaOf(IngestService.method.publishReadings.input);

/** The rows of a frame that arrived through Connect, or that it is not a message. */
function throughConnect(frame: Buffer) {
  try {
    return rowsOf(decode(frameBytes(schema, fromBinary(schema, frame))));
  } catch {
    return "refused";
  }
}

describe("a frame that Connect has decoded", () => {
  it("has the same rows as its bytes, for any bytes", () => {
    let refused = 0;
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(legalFrame, brokenFrameBytes), (frame) => {
        const expected = rowsOf(decode(frame));
        if (expected === "refused") refused++;
        else read++;
        expect(throughConnect(frame)).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
    expect(Math.min(refused, read)).toBeGreaterThan(1000);
  });

  it("has a message for each request of the contract, with its name", () => {
    for (const { input } of IngestService.methods) expect(frameSchemaOf(input).typeName).toBe(input.typeName);
  });
});
