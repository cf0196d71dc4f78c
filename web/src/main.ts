// The page begins here: the token from the address, then what the server knows, then the lanes, then the page around them.

import { apiOpen } from "./api/api";
import { select } from "./frame/actions";
import { followAddress } from "./frame/address";
import { load, onLoaded, overviewNow } from "./frame/loader";
import { openServer } from "./frame/server";
import { watchTheme } from "./frame/theme";
import { makePicture, painted, showPicture } from "./timeline/first_picture";
import { firstSight } from "./timeline/first_sight";
import { askFirst, firstTiles } from "./timeline/tile_source";
import "./style/base.css";
import "./style/frame.css";
import "./style/timeline.css";
import "./style/panels.css";
import "./style/pages.css";

const PATIENCE_MS = 700;
const HELD_MS = 500;
const GONE = "ctrace view no longer answers: start it again in the terminal, and load this page anew.";

apiOpen(openServer());
watchTheme();
onLoaded(() => followAddress((ref) => void select(ref)));

let around: Promise<() => void> | null = null;
let shown = false;

/** Has the page around the lanes loaded; what comes of it shows it, once. */
function loadPage(): Promise<() => void> {
  const root = document.getElementById("page") ?? document.body;
  around ??= import("./frame/show").then(
    ({ showPage }) => () => {
      if (!shown) showPage(root);
      shown = true;
    },
    () => () => {
      root.textContent = GONE;
    },
  );
  return around;
}

/** The lanes alone, if they are there soon; done when they are on the screen. */
async function showLanes(): Promise<HTMLCanvasElement | null> {
  const sight = firstSight();
  if (!sight) return null;
  const came = askFirst(sight);
  const picture = makePicture();
  // A page that is loaded or laid out while they come would keep them waiting.
  if (!picture) void loadPage();
  await Promise.race([came, new Promise((later) => window.setTimeout(later, HELD_MS))]);
  const cache = picture && !shown ? firstTiles() : null;
  if (!picture || !cache?.size) return null;
  showPicture(picture, cache);
  await painted();
  void loadPage(); // what it begins with would come before the picture
  window.ctraceFirst = performance.now();
  return picture;
}

// To paint that it waits takes the page as long as to paint the trace: only who has to wait longer is told so.
window.setTimeout(() => void loadPage().then((show) => show()), PATIENCE_MS);
void load().then(async () => {
  const picture = await showLanes();
  const show = await loadPage();
  show();
  picture?.remove();
  window.setTimeout(overviewNow);
});
