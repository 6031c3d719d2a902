import { type DescField, type DescMethod, type DescService, ScalarType } from "@bufbuild/protobuf";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";

/** The services of the contract. */
export const services: readonly DescService[] = [
  QueryService,
  GeneratorService,
  IngestService,
  AggregatorService,
];

/** The RPCs that a browser can call: unary ones and server streams. */
export const methods: readonly DescMethod[] = services.flatMap((service) =>
  service.methods.filter(({ methodKind }) => methodKind === "unary" || methodKind === "server_streaming"),
);

/** `Service/Method` without the package, as in the URL of the view. */
export function methodName({ name, parent }: DescMethod): string {
  return `${parent.name}/${name}`;
}

/** The kind of a field's input in the form. */
export type FieldInput =
  | { readonly kind: "text"; readonly hint: "list" | "timestamp" | "duration" | "json" | "text" }
  | { readonly kind: "number" }
  | { readonly kind: "flag" }
  | { readonly kind: "choice"; readonly values: readonly string[] };

/** Returns the input of a field of the contract. Pure. */
export function inputOf(field: DescField): FieldInput {
  if (field.fieldKind === "list")
    return { kind: "text", hint: field.listKind === "scalar" ? "list" : "json" };
  if (field.fieldKind === "enum")
    return { kind: "choice", values: field.enum.values.map(({ name }) => name) };
  if (field.fieldKind === "message") {
    const type = field.message.typeName;
    if (type === "google.protobuf.Timestamp") return { kind: "text", hint: "timestamp" };
    if (type === "google.protobuf.Duration") return { kind: "text", hint: "duration" };
    return { kind: "text", hint: "json" };
  }
  if (field.fieldKind !== "scalar") return { kind: "text", hint: "json" };
  if (field.scalar === ScalarType.BOOL) return { kind: "flag" };
  return field.scalar === ScalarType.STRING ? { kind: "text", hint: "text" } : { kind: "number" };
}

/**
 * Converts the text of an input to the field's value in the JSON of the contract; undefined leaves the field out. Pure.
 */
export function jsonOf(field: DescField, typed: string): unknown {
  if (typed.trim() === "") return undefined;
  const input = inputOf(field);
  if (input.kind === "number") return Number(typed);
  if (input.kind === "flag") return typed === "true" ? true : undefined;
  if (input.kind === "choice" || input.hint !== "json")
    return input.kind === "text" && input.hint === "list" ? listOf(typed) : typed.trim();
  try {
    return JSON.parse(typed);
  } catch {
    return typed;
  }
}

/** Returns the text of an input for a value of the JSON. Pure. */
export function typedOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
