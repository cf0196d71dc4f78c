// A page with nothing on it: what the browser takes for any page is no less than for this one.

import { createServer } from "node:http";

const PAGE = `<!doctype html><title>bare</title><body style="background: #eee"><script>
requestAnimationFrame(() => setTimeout(() => { window.ctraceFirst = performance.now(); }));
</script>`;

export async function barePage(): Promise<{ url: string; close: () => void }> {
  const server = createServer((_, reply) => reply.setHeader("content-type", "text/html").end(PAGE));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${typeof at === "object" && at ? at.port : 0}/`, close };
}
