// Programs of ours and servers of Node, started on free loopback ports and stopped with us.

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 20_000;
const children = [];

/** A folder that goes away with us. */
export const folder = mkdtempSync(join(tmpdir(), "sealwright-peers-"));

process.on("exit", () => {
  for (const child of children) child.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Has `child` killed when this process ends. */
export function stopWithUs(child) {
  children.push(child);
  return child;
}

/** Starts `program` and waits for the line that names its address; gives that and the lines so far. */
export async function start(program, args = [], env = {}) {
  const stdio = ["ignore", "pipe", "pipe"];
  const child = stopWithUs(spawn(program, args, { cwd: folder, env: { ...process.env, ...env }, stdio }));
  const lines = [];
  const errors = [];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const url = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${program} ${why}\n${errors.slice(-20).join("\n")}`));
    const timer = setTimeout(() => fail(`named no address within ${PATIENCE_MS} ms`), PATIENCE_MS);
    child.on("error", (error) => fail(error.message));
    child.on("exit", (code) => fail(`ended with ${code}`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const found = line.match(/ on (http:\/\/\S+)$/);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
  });
  return { url, lines, errors, child };
}

/** Starts `sealwright serve` on the resources of `file`, and waits until it is ready at `url`. */
export async function startServer(sealwright, file, url) {
  const child = stopWithUs(spawn(sealwright, ["serve", "-f", file], { stdio: ["ignore", "ignore", "pipe"] }));
  const said = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && child.exitCode === null) {
    if (await isReady(url)) return child;
    await sleep(100);
  }
  throw new Error(`a server did not get ready\n${said.slice(-20).join("\n")}`);
}

export async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3_000) })).status === 200;
  } catch {
    return false;
  }
}

/** Serves an express application. */
export async function listen(app) {
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  return `http://127.0.0.1:${server.address().port}`;
}

/**
 * A port that was free a moment ago, for who cannot be asked to choose one: below the range from which systems choose for
 * others.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(16_384, 32_768);
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
