import { useState } from "preact/hooks";
import { strings } from "../strings.ts";

const noticeMs = 2000;

/** A command or program with a button that copies it. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), noticeMs);
  };
  return (
    <div class="copyable">
      <pre tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
      <button type="button" class="small" onClick={() => void copy()} aria-live="polite">
        {isCopied ? strings.commands.copied : strings.commands.copy}
      </button>
    </div>
  );
}
