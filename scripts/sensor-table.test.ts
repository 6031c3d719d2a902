import { clearField, clone, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { sensors } from "@devicemesh/proto";
import { readContractImage } from "@devicemesh/proto/image";
import { describe, expect, it } from "vitest";
import { renderSensorTable } from "./sensor-table.ts";

const image = fromBinary(FileDescriptorSetSchema, readContractImage());

describe("the table of sensors", () => {
  it("has the sensors of the contract", () => {
    const table = renderSensorTable(readContractImage());
    for (const { sensor } of sensors) expect(table).toContain(`"sensor":"${sensor}"`);
  });

  it("refuses a value without presence, where 0 and nothing would be the same", () => {
    const changed = withTemperature((field, message) => {
      field.proto3Optional = false;
      clearField(field, FieldDescriptorProtoSchema.field.oneofIndex);
      message.oneofDecl = [];
    });
    expect(() => renderSensorTable(changed)).toThrow("Thermostat.temperature must be optional and required");
  });

  it("refuses a value that may be left out", () => {
    const changed = withTemperature((field) => {
      delete field.options;
    });
    expect(() => renderSensorTable(changed)).toThrow("Thermostat.temperature must be optional and required");
  });
});

function withTemperature(
  change: (field: FieldDescriptorProto, message: DescriptorProto) => void,
): Uint8Array {
  const set: FileDescriptorSet = clone(FileDescriptorSetSchema, image);
  const messages = set.file.flatMap(({ messageType }) => messageType);
  const message = messages.find(({ name }) => name === "Thermostat");
  const field = message?.field[0];
  if (!field) throw new Error("the contract has no Thermostat");
  change(field, message);
  return toBinary(FileDescriptorSetSchema, set);
}
