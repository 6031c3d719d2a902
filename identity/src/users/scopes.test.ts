import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readContractImage } from "@devicemesh/proto/image";
import { describe, expect, it } from "vitest";
import { needOf, rpcNeeds, scopes } from "./scopes.ts";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readContractImage()));
const contract = [...registry].flatMap((type) =>
  type.kind === "service" ? type.methods.map((method) => `${type.typeName}/${method.name}`) : [],
);
const table = Object.entries(rpcNeeds).flatMap(([service, methods]) =>
  Object.keys(methods).map((method) => `${service}/${method}`),
);

describe("the table of permissions of RPCs", () => {
  it("has every RPC of the contract, and no other", () => {
    expect(contract).toContain("devicemesh.v1.QueryService/WatchAggregates");
    expect(table.toSorted()).toEqual(contract.toSorted());
  });

  it("uses every scope, and only RPCs of gRPC itself need none", () => {
    const needs = Object.entries(rpcNeeds).flatMap(([service, methods]) =>
      Object.values(methods).map((need) => ({ service, need })),
    );
    const used = needs.flatMap(({ need }) => (need.kind === "scope" ? [need.scope] : []));
    expect([...new Set(used)].toSorted()).toEqual(
      scopes.filter((scope) => scope !== "devicemesh.send").toSorted(),
    );
    const open = needs.filter(({ need }) => need.kind === "nothing").map(({ service }) => service);
    expect(open.every((service) => service.startsWith("grpc."))).toBe(true);
  });

  it("requires more for control and operation than for reading", () => {
    expect(needOf("devicemesh.v1.QueryService", "GetAggregates")).toEqual({
      kind: "scope",
      scope: "devicemesh.read",
    });
    for (const method of ["StartGenerator", "StopGenerator"]) {
      expect(needOf("devicemesh.v1.GeneratorService", method)).toEqual({
        kind: "scope",
        scope: "devicemesh.generator",
      });
    }
    expect(needOf("devicemesh.v1.AggregatorService", "GetWindowJobStatus")).toEqual({
      kind: "scope",
      scope: "devicemesh.operate",
    });
  });

  it("returns undefined for an unknown RPC", () => {
    expect(needOf("devicemesh.v1.QueryService", "DropEverything")).toBeUndefined();
    expect(needOf("devicemesh.v1.QueryService", "toString")).toBeUndefined();
    expect(needOf("constructor", "name")).toBeUndefined();
  });
});
