import { readFileSync } from "node:fs";

/** The contract as a serialized FileDescriptorSet, for server reflection. Reads a file beside the code. */
export function readContractImage(): Uint8Array {
  return readFileSync(new URL("../gen/image.binpb", import.meta.url));
}
