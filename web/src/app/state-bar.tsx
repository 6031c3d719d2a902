import { connection, reconnected } from "../mesh/connection.ts";
import { problemText } from "../mesh/problem.ts";
import { strings } from "../strings.ts";
import { useNow } from "../ui/use-now.ts";

/** The state in words. */
type State = {
  readonly kind: "connecting" | "live" | "stopped" | "degraded" | "lost" | "denied";
  readonly title: string;
  readonly detail: string;
};

/** The state of the mesh, at the top of every view. */
export function StateBar() {
  // Renewed each second, for how long the connection has been lost.
  useNow();
  const { kind, title, detail } = stateNow();
  const notice = reconnected.value;
  return (
    <div class="state" data-state={kind}>
      <p class="state-line">
        <span class="lamp" aria-hidden="true" />
        <strong role="status">{title}</strong>
        <span class="state-detail">{detail}</span>
      </p>
      {notice && (
        <p class="notice" role="status">
          {strings.state.reconnected(notice.afterMs)}
        </p>
      )}
    </div>
  );
}

function stateNow(): State {
  const now = connection.value;
  const { state } = strings;
  if (now.kind === "connecting")
    return { kind: "connecting", title: state.connecting, detail: state.connectingDetail };
  if (now.kind === "denied") return { kind: "denied", title: state.denied, detail: problemText(now.problem) };
  if (now.kind === "lost") {
    const detail = state.lostDetail(Date.now() - now.sinceMs, problemText(now.problem));
    return { kind: "lost", title: state.lost, detail };
  }
  const { problems, storedPerSecond } = now.status;
  if (problems.length > 0) return { kind: "degraded", title: state.degraded, detail: problems.join("; ") };
  if (storedPerSecond > 0)
    return { kind: "live", title: state.live, detail: state.liveDetail(storedPerSecond) };
  return { kind: "stopped", title: state.stopped, detail: state.stoppedDetail };
}
