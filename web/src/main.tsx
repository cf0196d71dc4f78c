// The page begins here: the token from the address, then what the server knows, then the frame.

import { render } from "preact";
import { apiOpen } from "./api/api";
import { select } from "./frame/actions";
import { followAddress } from "./frame/address";
import { App } from "./frame/app";
import { load, onLoaded, overviewNow } from "./frame/loader";
import { openServer } from "./frame/server";
import { watchTheme } from "./frame/theme";
import { firstSight } from "./timeline/first_sight";
import { askFirst } from "./timeline/tile_source";
import "./style/base.css";
import "./style/frame.css";
import "./style/timeline.css";
import "./style/panels.css";
import "./style/pages.css";

const PATIENCE_MS = 300;
const HELD_MS = 200;

const server = openServer();
apiOpen(server);
watchTheme();
onLoaded(() => followAddress((ref) => void select(ref)));
const root = document.getElementById("page");
let shown = false;
const show = () => {
  if (!shown && root) render(<App />, root);
  shown = true;
};
// To paint that it waits takes the page as long as to paint the trace: only who has to wait longer is told so.
window.setTimeout(show, PATIENCE_MS);
void load().then(async () => {
  // A frame without tiles would keep the one with them waiting, and so would a page that is laid out while they come.
  const sight = firstSight();
  if (sight) await Promise.race([askFirst(sight), new Promise((later) => window.setTimeout(later, HELD_MS))]);
  show();
  window.setTimeout(overviewNow);
});
