import { ConnectError } from "@connectrpc/connect";
import { useEffect, useRef, useState } from "preact/hooks";
import { strings } from "../../strings.ts";
import { Problem } from "../../ui/problem.tsx";
import { askRandom, type Proof as Found } from "./ask-random.ts";

/** The proof beside the simulator: random questions, answered by the server and by brute force in the browser. */
export function Proof() {
  const [found, setFound] = useState<Found | undefined>(undefined);
  const [progress, setProgress] = useState<{ done: number; total: number } | undefined>(undefined);
  const [problem, setProblem] = useState<ConnectError | undefined>(undefined);
  const ending = useRef<AbortController>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const run = async (): Promise<void> => {
    ending.current = new AbortController();
    setProblem(undefined);
    setProgress({ done: 0, total: 0 });
    try {
      setFound(await askRandom((done, total) => setProgress({ done, total }), ending.current.signal));
    } catch (error) {
      setProblem(ConnectError.from(error));
    }
    setProgress(undefined);
  };
  const { simulator } = strings;
  return (
    <section class="card" aria-labelledby="proof">
      <h2 id="proof">{simulator.proofTitle}</h2>
      <p class="quiet">{simulator.proofHint}</p>
      <Problem problem={problem} />
      <p role="status" class={found && found.different > 0 ? "problem" : ""}>
        {progress ? simulator.proofRunning(progress.done, progress.total) : <Verdict found={found} />}
      </p>
      <button type="button" disabled={progress !== undefined} onClick={() => void run()}>
        {found ? simulator.proofAgain : simulator.proofRun}
      </button>
    </section>
  );
}

function Verdict({ found }: { readonly found: Found | undefined }) {
  const { simulator } = strings;
  if (!found) return null;
  if (found.readings === 0) return <>{simulator.proofNone}</>;
  return (
    <>
      {found.different > 0 ? (
        <strong>{simulator.proofDifferent(found.different)}</strong>
      ) : (
        <strong class="good">{simulator.proofEqual(found.equal, found.readings)}</strong>
      )}
      {found.moved > 0 && ` ${simulator.proofMoved(found.moved)}`}
    </>
  );
}
