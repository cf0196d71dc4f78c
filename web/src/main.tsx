// The page begins here: the token from the address, then what the server knows, then the frame.

import { render } from "preact";
import { apiOpen } from "./api/api";
import { select } from "./frame/actions";
import { followAddress } from "./frame/address";
import { App } from "./frame/app";
import { load, onLoaded } from "./frame/loader";
import { openServer } from "./frame/server";
import { watchTheme } from "./frame/theme";
import { startWorker } from "./timeline/tile_source";
import "./style/base.css";
import "./style/frame.css";
import "./style/timeline.css";
import "./style/panels.css";
import "./style/pages.css";

const PATIENCE_MS = 150;

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
startWorker();
// To paint that it waits takes the page as long as to paint the trace: only who has to wait longer is told so.
window.setTimeout(show, PATIENCE_MS);
void load().then(show);
