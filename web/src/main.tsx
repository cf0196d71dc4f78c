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

const server = openServer();
apiOpen(server);
watchTheme();
onLoaded(() => followAddress((ref) => void select(ref)));
load();
startWorker();
const root = document.getElementById("page");
if (root) render(<App />, root);
