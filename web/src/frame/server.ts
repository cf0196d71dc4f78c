// Where this page's server is: the page's own origin and folder, and the token in its address.

export type Server = { base: string; token: string };

let server: Server = { base: "", token: "" };

export function openServer(): Server {
  const { origin, pathname, search } = window.location;
  const folder = pathname.slice(0, pathname.lastIndexOf("/"));
  server = { base: origin + folder, token: new URLSearchParams(search).get("token") ?? "" };
  return server;
}

export function theServer(): Server {
  return server;
}
