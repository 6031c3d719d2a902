import { useState } from "preact/hooks";
import { token } from "../mesh/clients.ts";
import { connection, generation } from "../mesh/connection.ts";
import { problemText } from "../mesh/problem.ts";
import { strings } from "../strings.ts";

/** Asks for a token where calls are denied without one, and discards it on request. */
export function SignIn({ isNeeded }: { readonly isNeeded: boolean }) {
  const [typed, setTyped] = useState("");
  const now = connection.value;
  if (now.kind !== "denied") {
    return token.value === "" || !isNeeded ? null : (
      <p class="signed-in">
        <button type="button" class="small" onClick={() => use("")}>
          {strings.signIn.signOut}
        </button>
      </p>
    );
  }
  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        use(typed.trim());
        setTyped("");
      }}
    >
      <h1>{strings.signIn.title}</h1>
      <p role="alert">{problemText(now.problem)}</p>
      <label>
        <span>{strings.signIn.label}</span>
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <p class="quiet">{strings.signIn.hint}</p>
      <button type="submit" class="primary">
        {strings.signIn.submit}
      </button>
    </form>
  );
}

function use(text: string): void {
  token.value = text;
  generation.value++;
}
