// The edge between the lanes' titles and the lanes: dragged, or moved by arrows; a double click puts it back.

import { useRef } from "preact/hooks";
import { keepSettings } from "../frame/actions";
import { heads, HEADS_LEAST, HEADS_MOST } from "../frame/store";

const STEP = 16;
const FREE = 160; // px that the lanes keep

function widthNow(): number {
  return document.querySelector(".heads")?.getBoundingClientRect().width ?? 190;
}

function setWidth(px: number): void {
  const most = Math.max(HEADS_LEAST, Math.min(HEADS_MOST, window.innerWidth - FREE));
  heads.value = Math.round(Math.min(most, Math.max(HEADS_LEAST, px)));
}

export function Divider() {
  const grabbed = useRef<number | null>(null); // from the edge to where it was taken hold of
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    grabbed.current = event.clientX - widthNow();
  };
  const move = (event: PointerEvent) => {
    if (grabbed.current !== null) setWidth(event.clientX - grabbed.current);
  };
  const up = () => {
    if (grabbed.current !== null) keepSettings();
    grabbed.current = null;
  };
  const key = (event: KeyboardEvent) => {
    const to = { ArrowLeft: widthNow() - STEP, ArrowRight: widthNow() + STEP, Home: HEADS_LEAST, End: HEADS_MOST }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    event.stopPropagation();
    setWidth(to);
    keepSettings();
  };
  return (
    <div
      class="divider"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the titles"
      aria-valuemin={HEADS_LEAST}
      aria-valuemax={HEADS_MOST}
      aria-valuenow={Math.round(heads.value || widthNow())}
      title="Drag to make the titles wider; a double click puts it back"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onDblClick={() => {
        heads.value = 0;
        keepSettings();
      }}
      onKeyDown={key}
    />
  );
}
