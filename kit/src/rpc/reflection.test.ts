import * as http2 from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@devicemesh/proto/es/grpc/reflection/v1alpha/reflection_pb.ts";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { exampleImage } from "../../testing/reflection-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { grpcServiceDefinition } from "./grpc-js-service.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { addReflectionToGrpcServer, createReflection } from "./reflection.ts";

type Question = ServerReflectionRequest["messageRequest"];

const reflection = createReflection({ image: exampleImage(), services: ["example.v1.Library"] });

function ask(messageRequest: Question): ServerReflectionResponse["messageResponse"] {
  return reflection.answer(create(ServerReflectionRequestSchema, { messageRequest })).messageResponse;
}

/** Returns the names of the files in a response, in order. */
function filesIn(answer: ServerReflectionResponse["messageResponse"]): string[] {
  if (answer.case !== "fileDescriptorResponse") {
    throw new Error(`no files but ${JSON.stringify(answer)}`);
  }
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

const libraryClosure = [
  "example/library.proto",
  "example/book.proto",
  "example/base.proto",
  "example/options.proto",
];
const bookClosure = ["example/book.proto", "example/options.proto", "example/base.proto"];

describe("createReflection", () => {
  it("lists the given services, health and reflection, and no others of the image", () => {
    const answer = ask({ case: "listServices", value: "*" });
    expect(answer).toMatchObject({
      case: "listServicesResponse",
      value: {
        service: [
          { name: "example.v1.Library" },
          { name: "grpc.health.v1.Health" },
          { name: "grpc.reflection.v1.ServerReflection" },
          { name: "grpc.reflection.v1alpha.ServerReflection" },
        ],
      },
    });
  });

  it("answers a file with itself first and everything it imports, none twice", () => {
    expect(filesIn(ask({ case: "fileByFilename", value: "example/library.proto" }))).toEqual(libraryClosure);
    expect(filesIn(ask({ case: "fileByFilename", value: "example/base.proto" }))).toEqual([
      "example/base.proto",
    ]);
  });

  it("answers health and reflection although the image lacks them", () => {
    expect(filesIn(ask({ case: "fileContainingSymbol", value: "grpc.health.v1.Health.Check" }))).toEqual([
      "grpc/health/v1/health.proto",
    ]);
  });

  it.each([
    ["a service", "example.v1.Library", libraryClosure],
    ["a method", "example.v1.Library.Borrow", libraryClosure],
    ["a name with a leading dot", ".example.v1.Library", libraryClosure],
    ["a service that is not listed", "example.v1.Hidden", libraryClosure],
    ["a message", "example.v1.Book", bookClosure],
    ["a field", "example.v1.Book.title", bookClosure],
    ["a oneof", "example.v1.Book.kind", bookClosure],
    ["a nested message", "example.v1.Book.Page", bookClosure],
    ["a field of a nested message", "example.v1.Book.Page.number", bookClosure],
    ["a nested enum", "example.v1.Book.Cover", bookClosure],
    ["a value of a nested enum, in the scope around it", "example.v1.Book.COVER_HARD", bookClosure],
    ["a value of a nested enum, under its enum", "example.v1.Book.Cover.COVER_HARD", bookClosure],
    ["an enum", "example.v1.Genre", bookClosure],
    ["an extension", "example.v1.shelf", ["example/options.proto", "example/base.proto"]],
    [
      "an extension inside a message",
      "example.v1.Holder.row",
      ["example/options.proto", "example/base.proto"],
    ],
  ])("finds %s", (_, symbol, files) => {
    expect(filesIn(ask({ case: "fileContainingSymbol", value: symbol }))).toEqual(files);
  });

  it("finds an extension by its number, and lists the numbers in order", () => {
    const files = ["example/options.proto", "example/base.proto"];
    for (const extensionNumber of [1001, 1002]) {
      const value = create(ServerReflectionRequestSchema, {
        messageRequest: {
          case: "fileContainingExtension",
          value: { containingType: "example.v1.Extensible", extensionNumber },
        },
      });
      expect(filesIn(reflection.answer(value).messageResponse)).toEqual(files);
    }
    expect(ask({ case: "allExtensionNumbersOfType", value: "example.v1.Extensible" })).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: "example.v1.Extensible", extensionNumber: [1001, 1002] },
    });
    expect(ask({ case: "allExtensionNumbersOfType", value: "example.v1.Book" })).toMatchObject({
      value: { extensionNumber: [] },
    });
  });

  it.each<[string, Question]>([
    ["file", { case: "fileByFilename", value: "example/none.proto" }],
    ["file with an odd name", { case: "fileByFilename", value: "__proto__" }],
    ["symbol", { case: "fileContainingSymbol", value: "example.v1.None" }],
    ["method of a known service", { case: "fileContainingSymbol", value: "example.v1.Library.None" }],
    ["package", { case: "fileContainingSymbol", value: "example.v1" }],
    ["empty symbol", { case: "fileContainingSymbol", value: "" }],
    ["type with extensions", { case: "allExtensionNumbersOfType", value: "example.v1.None" }],
  ])("answers an unknown %s with NOT_FOUND", (_, question) => {
    expect(ask(question)).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
  });

  it("answers an unknown extension with NOT_FOUND", () => {
    const request = create(ServerReflectionRequestSchema, {
      messageRequest: {
        case: "fileContainingExtension",
        value: { containingType: "example.v1.Book", extensionNumber: 7 },
      },
    });
    expect(reflection.answer(request).messageResponse).toMatchObject({
      case: "errorResponse",
      value: { errorCode: 5 },
    });
  });

  it("answers an unknown request with INVALID_ARGUMENT", () => {
    expect(ask({ case: undefined })).toMatchObject({ case: "errorResponse", value: { errorCode: 3 } });
  });

  it("returns the host and the request in the response", () => {
    const request = create(ServerReflectionRequestSchema, {
      host: "a",
      messageRequest: { case: "fileByFilename", value: "b" },
    });
    expect(reflection.answer(request)).toMatchObject({ validHost: "a", originalRequest: request });
  });

  it("rejects a service that the image lacks, and an image that lacks an import", () => {
    expect(() => createReflection({ image: exampleImage(), services: ["example.v1.None"] })).toThrow(
      "no service example.v1.None",
    );
    const set = fromBinary(FileDescriptorSetSchema, exampleImage());
    const torn = { ...set, file: set.file.filter((file) => file.name !== "example/base.proto") };
    expect(() => createReflection({ image: toBinary(FileDescriptorSetSchema, torn), services: [] })).toThrow(
      "imports example/base.proto",
    );
  });
});

describe("addReflectionToGrpcServer", () => {
  const symbolRequest = (value: string) =>
    create(ServerReflectionRequestSchema, { messageRequest: { case: "fileContainingSymbol", value } });

  /** A server that counts its responses. */
  async function startServer() {
    let answered = 0;
    const server = await startGrpcServer({
      host: "127.0.0.1",
      port: 0,
      shutdownGraceMs: 100,
      addServices: (target) =>
        addReflectionToGrpcServer(target, {
          answer(request) {
            answered += 1;
            return reflection.answer(request);
          },
        }),
    });
    return { server, answered: () => answered };
  }

  it.each([ServerReflection.typeName, ServerReflectionAlpha.typeName])(
    "answers the requests of a stream of %s in order, and continues after an error",
    async (typeName) => {
      const { server } = await startServer();
      await using _ = server;
      const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
      const method = grpcServiceDefinition(ServerReflection, typeName).serverReflectionInfo!;
      const call = client.makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
      ) as ClientDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;
      const questions = ["example.v1.Book", "none", "example.v1.Library"];
      for (const question of questions) {
        call.write(symbolRequest(question));
      }
      call.end();
      const answers: ServerReflectionResponse[] = [];
      for await (const answer of call) {
        answers.push(answer);
      }
      client.close();
      expect(answers.map((answer) => answer.originalRequest?.messageRequest.value)).toEqual(questions);
      expect(answers.map((answer) => answer.messageResponse.case)).toEqual([
        "fileDescriptorResponse",
        "errorResponse",
        "fileDescriptorResponse",
      ]);
    },
  );

  it("pauses responses while the caller does not read, and continues when it does", async () => {
    const { server, answered } = await startServer();
    await using _ = server;
    // Not the client of grpc-js, which always reads.
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({
      ":method": "POST",
      ":path": `/${ServerReflection.typeName}/ServerReflectionInfo`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const questionCount = 1000;
    const question = toBinary(ServerReflectionRequestSchema, symbolRequest("example.v1.Library"));
    for (let i = 0; i < questionCount; i += 1) {
      const frame = Buffer.alloc(5 + question.length);
      frame.writeUInt32BE(question.length, 1);
      frame.set(question, 5);
      stream.write(frame);
    }
    stream.end();
    let before = 0;
    await waitUntil(async () => {
      before = answered();
      await delay(100);
      return before > 0 && answered() === before;
    });
    expect(before).toBeLessThan(questionCount / 2);
    stream.resume();
    await waitUntil(() => answered() === questionCount);
    session.close();
  });
});
