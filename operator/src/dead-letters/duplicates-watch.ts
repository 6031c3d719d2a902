import { devicesNamedMax, duplicatesPerHourMax } from "../limits.ts";
import { identityOfMessage } from "./dead-letter.ts";
import type { JudgedLetter } from "./dead-letter-store.ts";

const hourMs = 3_600_000;

/** Reports the devices that send too many duplicates and conflicts. */
export type DuplicatesWatch = {
  /** Counts dead letters by their kinds. */
  add(letters: readonly Pick<JudgedLetter, "letter" | "kind">[]): void;
  /** The problems as text; empty if no device is beyond the limit in the hour of the latest letters. */
  problems(): readonly string[];
};

/** Creates a watch. It counts by the log's clock, one hour at a time. */
export function createDuplicatesWatch({ maxPerHour = duplicatesPerHourMax } = {}): DuplicatesWatch {
  let hour = 0;
  const counts = new Map<string, number>();
  return {
    add(letters) {
      for (const { letter, kind } of letters) {
        if (kind !== "duplicate" && kind !== "conflict") continue;
        const identity = identityOfMessage(letter);
        const itsHour = Math.floor(letter.arrivedMs / hourMs);
        if (!identity || itsHour < hour) continue;
        if (itsHour > hour) {
          hour = itsHour;
          counts.clear();
        }
        counts.set(identity.deviceId, (counts.get(identity.deviceId) ?? 0) + 1);
      }
    },
    problems() {
      const beyond = [...counts].filter(([, count]) => count > maxPerHour).sort((a, b) => b[1] - a[1]);
      const since = new Date(hour * hourMs).toISOString();
      return beyond
        .slice(0, devicesNamedMax)
        .map(
          ([deviceId, count]) =>
            `device ${deviceId} has sent ${count} duplicates and conflicts since ${since}, more than ${maxPerHour}: repair its sender, or put its certificate on the deny list`,
        );
    },
  };
}
