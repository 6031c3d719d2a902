import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";

/** Decides which watches may run. */
export type WatchAdmission = {
  /**
   * Counts a watch until it is disposed. `caller` is undefined if unknown.
   * @throws RpcError RESOURCE_EXHAUSTED, naming the limit, if there are too many.
   */
  admit(caller: string | undefined): Disposable;
};

/**
 * Admits `watchesMax` concurrent watches, and `watchesPerCallerMax` of each known caller. `onChange` receives the
 * total.
 */
export function createWatchAdmission(options: {
  readonly watchesMax: number;
  readonly watchesPerCallerMax: number;
  readonly onChange?: ((running: number) => void) | undefined;
}): WatchAdmission {
  const { watchesMax, watchesPerCallerMax, onChange } = options;
  const byCaller = new Map<string, number>();
  let total = 0;

  function count(caller: string | undefined, change: 1 | -1): void {
    total += change;
    onChange?.(total);
    if (caller === undefined) return;
    const own = (byCaller.get(caller) ?? 0) + change;
    if (own > 0) byCaller.set(caller, own);
    else byCaller.delete(caller);
  }

  return {
    admit(caller) {
      if (caller !== undefined && (byCaller.get(caller) ?? 0) >= watchesPerCallerMax) {
        throw resourceExhausted({
          subject: "watches of a caller",
          description: `${caller} has ${watchesPerCallerMax} open, the most of one caller: end one first`,
        });
      }
      if (total >= watchesMax) {
        throw resourceExhausted({
          subject: "watches",
          description: `${watchesMax} are open, the most in total: try again later`,
        });
      }
      count(caller, 1);
      let isOpen = true;
      return {
        [Symbol.dispose]() {
          if (isOpen) count(caller, -1);
          isOpen = false;
        },
      };
    },
  };
}
