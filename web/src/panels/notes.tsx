// The bookmarks, each a link to its time.

import { goTo, removeNote } from "../frame/actions";
import { dialog, notes } from "../frame/store";
import { instant } from "../timeline/hover_card";

export function NotesPanel() {
  return (
    <div>
      <button type="button" onClick={() => { dialog.value = "note"; }}>New bookmark (M)</button>
      {notes.value.length === 0 && <p class="empty">Bookmarks are kept beside the trace, in a file of their own.</p>}
      <ul class="notes">
        {notes.value.map((note, at) => (
          <li key={`${note.ns}/${at}`}>
            <button type="button" class="link" onClick={() => goTo(note.ns)}>{note.text || "bookmark"}</button>
            <span class="dim"> {instant(note.ns, 1000)}</span>
            <button type="button" class="icon" aria-label={`Remove ${note.text || "bookmark"}`} onClick={() => removeNote(at)}>×</button>
          </li>
        ))}
      </ul>
    </div>
  );
}
