import { readFileSync } from "node:fs";
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

const catalog = readFileSync(new URL("../proto/sensors.yaml", import.meta.url), "utf8");
const image = fromBinary(FileDescriptorSetSchema, readContractImage());

describe("the table of sensors", () => {
  it("has the sensors of the contract", () => {
    const table = renderSensorTable(readContractImage(), catalog);
    for (const { sensor } of sensors) expect(table).toContain(`"sensor":"${sensor}"`);
  });

  it("rejects a value without presence, because 0 and unset would be the same", () => {
    const changed = withTemperature((field, message) => {
      field.proto3Optional = false;
      clearField(field, FieldDescriptorProtoSchema.field.oneofIndex);
      message.oneofDecl = [];
    });
    expect(() => renderSensorTable(changed, catalog)).toThrow(
      "Thermostat.temperature must be optional and required",
    );
  });

  it("rejects a catalog that lacks the sensor of a device type, or has it in another unit", () => {
    const without = catalog.replace(/^ {2}humidity:.*\n/m, "");
    expect(() => renderSensorTable(readContractImage(), without)).toThrow(
      "proto/sensors.yaml must have the sensor humidity of hygrometer in %: it is missing",
    );
    const other = catalog.replace("pressure: {unit: hPa", "pressure: {unit: mbar");
    expect(() => renderSensorTable(readContractImage(), other)).toThrow("in hPa: it is in mbar");
  });

  it("rejects a value that may be left out", () => {
    const changed = withTemperature((field) => {
      delete field.options;
    });
    expect(() => renderSensorTable(changed, catalog)).toThrow(
      "Thermostat.temperature must be optional and required",
    );
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
