import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { ServerReflection } from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@devicemesh/proto/es/grpc/reflection/v1alpha/reflection_pb.ts";
import { describe, expect, it } from "vitest";
import { exampleImage } from "../../testing/reflection-fixture.ts";
import { startOnePortServer } from "../server/one-port-server.ts";
import { addReflectionRoutes } from "./connect-reflection.ts";
import { createReflection } from "./reflection.ts";

const questions = [
  { case: "listServices", value: "" },
  { case: "fileContainingSymbol", value: "example.v1.None" },
  { case: "fileContainingSymbol", value: "example.v1.Holder" },
] as const;

async function* requests() {
  for (const messageRequest of questions) {
    yield { messageRequest };
  }
}

describe("addReflectionRoutes", () => {
  it("answers on both versions, and continues after an error", async () => {
    const reflection = createReflection({ image: exampleImage(), services: ["example.v1.Library"] });
    await using server = await startOnePortServer({
      host: "127.0.0.1",
      port: 0,
      handler: connectNodeAdapter({ routes: (router) => addReflectionRoutes(router, reflection) }),
      shutdownGraceMs: 1000,
    });
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` });
    const streams = [
      createClient(ServerReflection, transport).serverReflectionInfo(requests()),
      createClient(ServerReflectionAlpha, transport).serverReflectionInfo(requests()),
    ];
    for (const stream of streams) {
      const answers = [];
      for await (const { messageResponse } of stream) {
        answers.push(messageResponse);
      }
      expect(answers.map((answer) => answer.case)).toEqual([
        "listServicesResponse",
        "errorResponse",
        "fileDescriptorResponse",
      ]);
      const last = answers[2]!;
      const files = last.case === "fileDescriptorResponse" ? last.value.fileDescriptorProto : [];
      expect(files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)).toEqual([
        "example/options.proto",
        "example/base.proto",
      ]);
    }
  });
});
