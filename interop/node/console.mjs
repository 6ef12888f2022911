// The console of signing keys in a real browser: an administrator signs in by the server's own code flow, rotates and revokes
// by the buttons; somebody without the role is refused. Screenshots of each page are kept.
//
// usage: node console.mjs SEALWRIGHT CHROMIUM SCREENSHOT-FOLDER

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folder, freePort, startServer } from "./started.mjs";
import { expect, judge } from "./verdict.mjs";
import { Window } from "./window.mjs";

const [, , sealwright, executablePath, screenshots] = process.argv;
const PASSWORD = randomBytes(12).toString("hex");
const SCREENS = [375, 1280].flatMap((width) => ["light", "dark"].map((scheme) => [{ width, height: 812 }, scheme]));
const PATIENCE_MS = 30_000;

const issuer = await server();
const window = await Window.open(executablePath, screenshots);
try {
  await journey();
} finally {
  await window.close();
}
process.exit();

async function journey() {
  await judge("browser: somebody without the role is refused", async () => {
    const response = await signIn("alice");
    expect(response.status() === 403, `status ${response.status()}`);
    await window.photograph("console-1-refused", SCREENS);
    const again = await window.page.goto(`${issuer}/admin/keys`);
    expect(new URL(again.url()).pathname !== "/admin/keys", "there is a session all the same");
  });
  await window.forget();

  const signedIn = await judge("browser: an administrator signs in and sees each key's life drawn", async () => {
    const response = await signIn("root");
    expect(response.status() === 200, `status ${response.status()}`);
    await atKeys();
    const keys = await keysShown();
    expect(states(keys) === "signs, lies in reserve", states(keys));
    await window.photograph("console-2-keys", SCREENS);
    return states(keys);
  });
  if (!signedIn) return;

  await judge("browser: the next key is announced by a button, and nothing breaks", async () => {
    await window.press(link("Rotate"));
    await window.photograph("console-3-rotate", SCREENS);
    await confirm("drill");
    const keys = await until((keys) => states(keys) === "signs, is announced");
    await window.photograph("console-4-announced", SCREENS);
    return states(keys);
  });

  let first;
  await judge("browser: it signs at once by another, which says what breaks", async () => {
    first = (await keysShown()).find(({ state }) => state === "signs").kid;
    await window.press(link("Rotate now"));
    const text = await window.page.locator("main").innerText();
    expect(/Envoy/.test(text), text);
    await window.photograph("console-5-rotate-now", SCREENS);
    await confirm("drill");
    const keys = await until((keys) => states(keys).startsWith("verifies, signs"));
    await window.photograph("console-6-rotated", SCREENS);
    return states(keys);
  });

  await judge("browser: a key is revoked with a reason, and leaves the set", async () => {
    await revoke(first);
    await window.photograph("console-7-revoke", SCREENS);
    await window.page.getByRole("button").click();
    expect(new URL(window.page.url()).pathname === "/admin/keys/confirm", "it was revoked without a reason");
    const warning = await window.page.locator("main").innerText();
    expect(/you sign in again/.test(warning), warning);
    await confirm("A backup was lost");
    // The session's token was of that key.
    await gone(first);
    await signIn("root");
    await atKeys();
    const text = await window.page.locator("main").innerText();
    expect(text.includes("A backup was lost"), text);
    await window.photograph("console-8-revoked", SCREENS);
    return states(await keysShown());
  });

  await judge("browser: so is the one that signs, and the reserve takes its place", async () => {
    const before = (await keysShown()).find(({ state }) => state === "signs").kid;
    await revoke(before);
    await window.photograph("console-9-revoke-signing", SCREENS);
    await confirm("drill");
    await gone(before);
    await signIn("root");
    const keys = await until((keys) => keys.some(({ kid, state }) => state === "signs" && kid !== before));
    return states(keys);
  });

  await judge("browser: after signing out the keys are shown no more", async () => {
    await window.page.goto(`${issuer}/admin/keys`);
    const response = await window.press(window.page.getByRole("button", { name: "Sign out" }));
    expect(response.status() === 200, `status ${response.status()}`);
    await window.photograph("console-10-signed-out", SCREENS);
    await window.page.goto(`${issuer}/admin/keys`);
    await window.arriveAt("login");
  });
  await window.verdicts();
}

/** From the console to the login page and back. */
async function signIn(username) {
  await window.page.goto(`${issuer}/admin/keys`);
  await window.arriveAt("login");
  await window.fill("username", username);
  await window.fill("password", PASSWORD);
  return window.submit();
}

async function atKeys() {
  const { pathname } = new URL(window.page.url());
  expect(pathname === "/admin/keys", `expected the keys, got ${pathname}`);
}

function link(name) {
  return window.page.getByRole("link", { name, exact: true });
}

function revoke(kid) {
  return window.press(window.page.getByRole("link", { name: kid }));
}

/** Gives the reason and presses the only button. */
async function confirm(reason) {
  await window.page.getByLabel("Why?").fill(reason);
  await window.press(window.page.getByRole("button"));
}

/** Every key on the page; each has a drawing that can be seen. */
async function keysShown() {
  const keys = [];
  for (const key of await window.page.locator(".key").all()) {
    const kid = (await key.locator("h2").innerText()).split(" ")[0];
    const bar = await key.locator("svg rect:not(.track):not(.now)").first().boundingBox();
    expect(bar?.width > 0 && bar.height > 0, `nothing is drawn of ${kid}`);
    keys.push({ kid, state: await key.locator(".state").innerText() });
  }
  return keys;
}

function states(keys) {
  return keys.map(({ state }) => state).join(", ");
}

/** Loads the page anew until it shows what is expected. */
async function until(holds) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    await window.page.goto(`${issuer}/admin/keys`);
    const keys = await keysShown();
    if (holds(keys)) return keys;
    expect(Date.now() < end, `still ${states(keys)}`);
    await sleep(300);
  }
}

/** Waits until the set is without the key, and has others. */
async function gone(kid) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { keys } = await (await fetch(`${issuer}/oauth2/jwks`)).json();
    const kids = keys.map((key) => key.kid);
    if (kids.length > 0 && !kids.includes(kid)) return;
    expect(Date.now() < end, `the set has ${kids}`);
    await sleep(100);
  }
}

/** One server with two people, of whom one operates it. */
async function server() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const private_ = { mode: 0o600 };
  writeFileSync(join(folder, "kek"), randomBytes(32).toString("base64url"), private_);
  const hash = execFileSync(sealwright, ["user", "hash-password"], { input: PASSWORD });
  writeFileSync(join(folder, "password"), hash, private_);
  const user = (name, roles) => `---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {name: ${name}}
spec: {username: ${name}, password: {file: password}, roles: [${roles}]}
`;
  const file = join(folder, "console.yaml");
  writeFileSync(
    file,
    `apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {name: main, labels: {env: console}}
spec:
  issuerURI: ${url}
  listen: 127.0.0.1:${port}
  tokenSignature: {algorithms: [ES256], keysDir: keys, poll: 1s}
  storage: {sqlite: {path: server.db}}
  secrets: {kek: [{id: k1, file: kek}]}
  acknowledge: [unsafeIssuerUri]
${user("root", "admin")}${user("alice", "")}`,
  );
  await startServer(sealwright, file, url);
  return url;
}
