// A stack, innermost frame first: function, file and line, module.

import { useState } from "preact/hooks";
import type { Frame } from "../api/answers";

const FEW = 1;

export function placeOf(frame: Frame): string {
  const file = frame.file.split("/").pop() ?? "";
  if (file) return frame.line ? `${file}:${frame.line}` : file;
  return frame.module.split("/").pop() ?? "";
}

/** A frame's function; of one without a name at least where it is. */
export function nameOf(frame: { function: string; module: string }): string {
  return frame.function || `? in ${frame.module.split("/").pop() || "no module"}`;
}

export function StackList({ frames, folded = false }: { frames: Frame[]; folded?: boolean }) {
  const [open, setOpen] = useState(!folded);
  const shown = open ? frames : frames.slice(0, FEW);
  return (
    <ol class="stack">
      {shown.map((frame, at) => (
        <li key={at} class={frame.inlined ? "inlined" : ""}>
          <span class="function">{nameOf(frame)}</span>
          {frame.inlined && <span class="dim"> inlined</span>}
          <span class="place" title={frame.file ? `${frame.file}:${frame.line}` : frame.module}>{placeOf(frame)}</span>
        </li>
      ))}
      {!open && frames.length > FEW && (
        <li>
          <button type="button" class="link" onClick={() => setOpen(true)}>{frames.length - FEW} more</button>
        </li>
      )}
    </ol>
  );
}
