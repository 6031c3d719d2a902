import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CountedService } from "./settings.ts";

/** Services of the contract that are for the mesh itself and have no route: people ask query for the status. */
export const innerServices: readonly string[] = ["devicemesh.v1.AggregatorService"];

/** The services of the contract that the front door serves, with their methods. */
export function servedServices(image: Uint8Array): CountedService[] {
  return contractServices(image).filter(({ name }) => !innerServices.includes(name));
}

/** All services of the contract's own packages, with their methods. */
export function contractServices(image: Uint8Array): CountedService[] {
  return fromBinary(FileDescriptorSetSchema, image)
    .file.filter((file) => file.package.startsWith("devicemesh."))
    .flatMap((file) =>
      file.service.map(({ name, method }) => ({
        name: `${file.package}.${name}`,
        methods: method.map((each) => each.name),
      })),
    );
}
