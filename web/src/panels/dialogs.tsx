// The dialogs: the keys, going to a time, a new bookmark.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { addNote, goTo } from "../frame/actions";
import { KEYS } from "../frame/keys";
import { dialog, meta, span, startClock, view } from "../frame/store";
import { instant } from "../timeline/hover_card";
import { parsePosition, wall } from "../timeline/time";

function Dialog({ title, children }: { title: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const box = ref.current;
    const before = document.activeElement;
    box?.showModal();
    return () => {
      box?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        dialog.value = "";
      }}
      onClick={(event) => {
        if (event.target === ref.current) dialog.value = "";
      }}
    >
      <div class="dialog-body">
        <div class="panel-head">
          <h2>{title}</h2>
          <button type="button" class="icon" aria-label="Close" onClick={() => { dialog.value = ""; }}>×</button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

const POINTER: [string, string][] = [
  ["drag", "move"],
  ["wheel", "scroll; sideways moves"],
  ["Ctrl+wheel, pinch", "zoom where the pointer is"],
  ["Shift+drag", "select a range; it holds on to edges, unless Alt is down"],
  ["click, double click", "select a slice, zoom to it"],
];

function Keys() {
  return (
    <Dialog title="Keys">
      <dl class="keys">
        {KEYS.map((key) => (
          <div key={key.shown}><dt><kbd>{key.shown}</kbd></dt><dd>{key.does}</dd></div>
        ))}
        <div><dt><kbd>Alt+←  Alt+→</kbd></dt><dd>back and forward through views</dd></div>
        {POINTER.map(([what, does]) => (
          <div key={what}><dt><kbd>{what}</kbd></dt><dd>{does}</dd></div>
        ))}
      </dl>
      <p class="dim">ctrace {meta.value?.ctrace} · <a href="./licenses" target="_blank" rel="noopener noreferrer">licences of what is in this page</a></p>
    </Dialog>
  );
}

function GoTo() {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const clock = startClock.value;
  const example = clock ? wall(view.value.start, 1e6, clock) : "1.204 s";
  const go = (event: Event) => {
    event.preventDefault();
    const at = parsePosition(text, clock, span.value);
    if (at === null) {
      setWrong(`“${text}” is no time: write ${clock ? `${example} as the clock had it, or ` : ""}1.5s, 300 ms, 12.5 (seconds since the start).`);
      return;
    }
    dialog.value = "";
    goTo(at);
  };
  return (
    <Dialog title="Go to a time">
      <form class="one-line" onSubmit={go}>
        <input aria-label="Time" aria-invalid={wrong !== ""} autoFocus placeholder={`${example}  or  1.5s`} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit">Go</button>
      </form>
      {wrong && <p class="banner bad" role="alert">{wrong}</p>}
    </Dialog>
  );
}

function NewNote() {
  const [text, setText] = useState("");
  const middle = (view.value.start + view.value.end) / 2;
  return (
    <Dialog title={`Bookmark at ${instant(middle, 1000)}`}>
      <form class="one-line" onSubmit={(event) => { event.preventDefault(); addNote(middle, text.trim()); dialog.value = ""; }}>
        <input aria-label="Text" autoFocus maxLength={200} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit">Keep</button>
      </form>
    </Dialog>
  );
}

export function Dialogs() {
  if (dialog.value === "keys") return <Keys />;
  if (dialog.value === "goto") return <GoTo />;
  if (dialog.value === "note") return <NewNote />;
  return null;
}
