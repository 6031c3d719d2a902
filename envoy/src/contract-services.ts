import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CountedService } from "./settings.ts";

/** The services of the contract's own packages, with their methods. */
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
