// The frame around every page: the name of the trace, tabs, what stands in the way, and the page itself.

import { useEffect } from "preact/hooks";
import { count, duration } from "../timeline/time";
import { say } from "./actions";
import { Banner } from "./banner";
import { Dialogs } from "../panels/dialogs";
import { onKey } from "./keys";
import { PAGES } from "./pages";
import { Live } from "./live";
import { dialog, isProfile, meta, page, spoken, trouble } from "./store";
import { ThemeButton } from "./theme_button";

function Tabs() {
  const kind = isProfile.value ? "profile" : "trace";
  const shown = PAGES.filter((each) => each.of === "both" || each.of === kind);
  const move = (event: KeyboardEvent) => {
    const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!way || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const at = shown.findIndex((each) => each.name === page.value);
    page.value = shown[(at + way + shown.length) % shown.length].name;
    queueMicrotask(() => document.getElementById(`tab-${page.value}`)?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label="Pages" onKeyDown={move}>
      {shown.map((each) => (
        <button
          key={each.name}
          id={`tab-${each.name}`}
          type="button"
          role="tab"
          aria-selected={page.value === each.name}
          aria-controls="body"
          tabIndex={page.value === each.name ? 0 : -1}
          onClick={() => {
            page.value = each.name;
          }}
        >
          {each.title}
        </button>
      ))}
    </div>
  );
}

function Name() {
  const at = meta.value;
  if (!at) return <div class="name" />;
  const file = at.trace.file.split("/").pop() ?? "";
  const facts = isProfile.value ? "profile" : `${duration(at.span_ns)} · ${count(at.trace.events)} events`;
  return (
    <div class="name" title={at.trace.file}>
      <strong>{file}</strong> <span>{facts}</span>
    </div>
  );
}

export function App() {
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const at = meta.value;
  useEffect(() => {
    if (at) document.title = `${at.trace.file.split("/").pop()} – ctrace`;
  }, [at]);
  const kind = isProfile.value ? "profile" : "trace";
  const shown = PAGES.find((each) => each.name === page.value && (each.of === "both" || each.of === kind)) ?? PAGES.find((each) => each.of !== "trace" || kind === "trace");
  useEffect(() => {
    if (at && shown && page.value !== shown.name) page.value = shown.name;
  }, [at, shown]);
  const Body = shown?.body;
  return (
    <>
      <header>
        <a class="skip" href="#body" onClick={(event) => { event.preventDefault(); document.getElementById("body")?.focus(); }}>
          To the page
        </a>
        <Name />
        <Live />
        {at && <Tabs />}
        <div class="tools">
          <ThemeButton />
          <button type="button" class="icon" aria-label="Keys" title="Keys (?)" onClick={() => { dialog.value = "keys"; say(""); }}>
            ?
          </button>
        </div>
      </header>
      <Banner />
      <main>
        <div id="body" role={at ? "tabpanel" : undefined} aria-labelledby={shown && at ? `tab-${shown.name}` : undefined} tabIndex={-1}>
          {at && Body ? <Body /> : <p class="empty first">{trouble.value ? trouble.value.text : "Opening the trace …"}</p>}
        </div>
      </main>
      <Dialogs />
      <div class="spoken" role="status" aria-live="polite">{spoken.value}</div>
    </>
  );
}
