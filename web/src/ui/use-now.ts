import { useEffect, useState } from "preact/hooks";
import { serverNowMs } from "../mesh/clients.ts";

/** Returns the server's time in ms since 1970, updated every second. */
export function useNow(): number {
  const [now, setNow] = useState(serverNowMs());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNowMs()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
