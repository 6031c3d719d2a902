import { ownCopy } from "../formats/own-copy.ts";
import { deviceNamesMax } from "../limits.ts";

/** The id of a device, or the problem of its name. */
export type DeviceName = { readonly id: string; readonly problem: string | undefined };

/** Converts the device names of files to ids, each name once. */
export function createDeviceNames({
  encode,
  pattern,
}: {
  /** Percent-encodes characters that ids may not contain. */
  encode(name: string): string;
  readonly pattern: RegExp;
}): (name: string) => DeviceName {
  const known = new Map<string, DeviceName>();
  const bad = (problem: string): DeviceName => ({ id: "", problem });

  function find(name: string): DeviceName {
    if (name === "") return bad("the device is empty");
    if (name.includes("\ufffd"))
      return bad(`the device ${JSON.stringify(name)} holds bytes that are not text`);
    const id = encode(name);
    return pattern.test(id)
      ? { id, problem: undefined }
      : bad(
          `the device ${JSON.stringify(name.slice(0, 60))} cannot be a device id: it is too long, or holds what ids may not hold`,
        );
  }

  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      const own = ownCopy(name);
      found = find(own);
      if (known.size >= deviceNamesMax) known.clear();
      known.set(own, found);
    }
    return found;
  };
}
