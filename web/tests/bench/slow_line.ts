// A line between the browser and a server that lets so many bytes a second through, and keeps each a while.

import { connect, createServer, type Socket } from "node:net";

export type Line = { url: string; bytes: () => number; close: () => void };

/** Hands on what comes, in order: `free` is when the line has room again. */
function pump(from: Socket, to: Socket, line: { free: number; bytes: number }, rate: number, latencyMs: number): void {
  from.on("data", (chunk: Buffer) => {
    const now = performance.now();
    line.free = Math.max(line.free, now) + (chunk.length / rate) * 1000;
    line.bytes += chunk.length;
    from.pause();
    setTimeout(() => from.resume(), Math.max(0, line.free - now));
    setTimeout(() => { if (!to.destroyed) to.write(chunk); }, line.free - now + latencyMs);
  });
  from.on("close", () => setTimeout(() => to.destroy(), Math.max(0, line.free - performance.now()) + latencyMs + 20));
  from.on("error", () => to.destroy());
}

/** `rate` bytes a second each way, for all connections together. */
export async function slowLine(url: string, rate: number, latencyMs: number): Promise<Line> {
  const { port, search } = new URL(url);
  const [there, back] = [{ free: 0, bytes: 0 }, { free: 0, bytes: 0 }];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const far = connect(Number(port), "127.0.0.1");
    for (const socket of [client, far]) {
      socket.setNoDelay(true);
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
    pump(client, far, there, rate, latencyMs);
    pump(far, client, back, rate, latencyMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  return {
    url: `http://127.0.0.1:${typeof at === "object" && at ? at.port : 0}/${search}`,
    bytes: () => back.bytes,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
