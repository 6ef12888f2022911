// A person's journey in a real browser: log in, approve, and get a document signed. JavaScript is off, as the pages must
// work without it; screenshots of each page are kept. The browser's profile goes into TMPDIR.
//
// usage: node login.mjs DEMO.json CHROMIUM SCREENSHOT-FOLDER

import { X509Certificate } from "node:crypto";
import { flattenedVerify } from "jose";
import { chromium } from "playwright-core";
import { Inspector } from "./accessibility.mjs";
import { Portal } from "./portal.mjs";
import { STEP_MS, totp } from "./totp.mjs";
import { expect, judge, mustRefuse, readDemo } from "./verdict.mjs";

const PHONE = { width: 390, height: 844 };
const NARROWEST = { width: 320, height: 640 };
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 15_000;

const demo = readDemo();
const [, , , executablePath, screenshots] = process.argv;
const lease = {
  name: "lease.txt",
  mediaType: "text/plain",
  bytes: Buffer.from("The tenant may keep one cat. <script>alert(1)</script>\n"),
};

const portal = new Portal(demo, lease);
await portal.listen();
const browser = await chromium.launch({ executablePath, args: FLAGS });
const page = await browser.newPage({ javaScriptEnabled: false, viewport: PHONE, colorScheme: "light" });
const inspector = new Inspector(await browser.newPage({ viewport: PHONE }));
page.setDefaultTimeout(PATIENCE_MS);
const complaints = [];
page.on("console", (message) => {
  // A page answered with 401 is one that we provoked.
  if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
});
const overflows = [];
const strangers = [];
page.on("request", (request) => {
  if (new URL(request.url()).hostname !== "127.0.0.1") strangers.push(request.url());
});

try {
  await journey();
} finally {
  await browser.close();
  portal.close();
}

async function journey() {
  let problem;
  const asked = await judge("the worker answers a request without a token with a page to open", async () => {
    problem = await portal.challenge();
    return problem.context.id;
  });
  if (!asked) return;

  const opened = await judge("browser: the login page opens", async () => {
    await page.goto(problem.context.authorize_url);
    await arriveAt("login");
    await photograph("1-login");
    return page.title();
  });
  if (!opened) return;

  await judge("browser: a wrong password shows the form again", async () => {
    await fill("username", demo.user.username);
    await fill("password", "not the password");
    const response = await submit();
    expect(response.status() === 401, `status ${response.status()}`);
    await arriveAt("login");
    await photograph("2-login-refused");
    const text = await page.locator("body").innerText();
    expect(!text.includes("not the password"), "the password stands on the page");
    return firstLine(text);
  });

  const known = await judge("browser: the password leads to the second factor", async () => {
    await fill("username", demo.user.username);
    await fill("password", demo.user.password);
    await submit();
    await arriveAt("totp");
    await photograph("3-second-factor");
  });
  if (!known) return;

  const sure = await judge("browser: the one-time code leads to the approval", async () => {
    const tries = await enterCode();
    await arriveAt("approve");
    await photograph("4-approve");
    return tries === 1 ? "" : "after waiting for a fresh code";
  });
  if (!sure) return;

  await judge("browser: the approval names the document, its digest and the application, as text", async () => {
    const text = await page.locator("body").innerText();
    expect(text.includes(lease.name), "no file name");
    const [{ hash }] = problem.authorization_details[0].documentDigests;
    const hex = Buffer.from(hash, "base64").toString("hex");
    const bare = text.replace(/\s/g, "");
    expect(bare.includes(hash) || bare.toLowerCase().includes(hex), "no digest");
    return firstLine(text);
  });

  let code;
  const back = await judge("browser: approving leads back to the application with a code", async () => {
    await page.locator('form.primary-form[data-step="approve"] button[name="decision"][value="approve"]').click();
    code = await portal.code();
  });
  await judge("browser: no error on the console, and no request to anybody else", () => {
    expect(complaints.length === 0, complaints.join("; "));
    expect(strangers.length === 0, strangers.join("; "));
  });
  await judge("browser: no page is wider than a screen of 320 px", () => {
    expect(overflows.length === 0, overflows.join("; "));
  });
  await judge("axe-core finds nothing on any page, by day or by night", () => {
    expect(inspector.violations.length === 0, inspector.violations.join("; "));
  });
  if (!back) return;

  let token;
  const redeemed = await judge("the code and its PKCE verifier give a token", async () => {
    const { status, body } = await portal.redeem(code);
    expect(status === 200 && body.token_type === "Bearer", `${status} ${JSON.stringify(body)}`);
    token = body.access_token;
    return `expires in ${body.expires_in} s`;
  });
  await judge("the code does so once", async () => {
    const { status, body } = await portal.redeem(code);
    expect(status === 400 && body.error === "invalid_grant", `${status} ${JSON.stringify(body)}`);
    return body.error;
  });
  if (!redeemed) return;

  await judge("another document than the approved one is refused", async () => {
    const { status, body } = await portal.sign(token, Buffer.from("The tenant may keep two cats.\n"));
    expect(status === 403 && body.code === "hash_not_authorized", `${status} ${JSON.stringify(body)}`);
    return body.code;
  });
  let signed;
  const done = await judge("the approved document comes back signed", async () => {
    const { status, headers, body } = await portal.sign(token);
    expect(status === 200, `${status} ${JSON.stringify(body)}`);
    expect(headers.get("content-type")?.startsWith("application/jose+json"), headers.get("content-type"));
    signed = body;
    return headers.get("x-receipt");
  });
  if (!done) return;

  const header = JSON.parse(Buffer.from(signed.protected, "base64url"));
  const certificate = new X509Certificate(Buffer.from(header.x5c[0], "base64"));
  await judge("npm jose verifies the signed document", async () => {
    const { payload } = await flattenedVerify(signed, certificate.publicKey, { algorithms: ["ES256"] });
    expect(Buffer.from(payload).equals(lease.bytes), "the payload is not the document");
    return certificate.subject.replaceAll("\n", ", ");
  });
  await judge("npm jose refuses it with another payload", () => {
    const payload = Buffer.from("The tenant may keep two cats.\n").toString("base64url");
    return mustRefuse("another payload", () => flattenedVerify({ ...signed, payload }, certificate.publicKey));
  });
  await judge("the token does so once", async () => {
    const { status, body } = await portal.sign(token);
    expect(status === 409 && body.code === "token_replayed", `${status} ${JSON.stringify(body)}`);
    return body.code;
  });
}

/** Enters codes until one is taken: the demo has used up the code of its half minute, and a code is good once. */
async function enterCode() {
  for (let tries = 1; tries <= 3; tries += 1) {
    await fill("code", totp(demo.user.totp_secret, Date.now()));
    const response = await submit();
    if (response.status() !== 401) return tries;
    await arriveAt("totp");
    await photograph("3-second-factor-refused");
    await new Promise((next) => setTimeout(next, STEP_MS - (Date.now() % STEP_MS) + 200));
  }
  throw new Error("no code was taken");
}

function fill(name, value) {
  return page.locator(`form.primary-form [name="${name}"]`).fill(value);
}

/** Presses the form's first button and waits for the page that answers. */
async function submit() {
  const answered = page.waitForResponse((response) => {
    const request = response.request();
    return request.isNavigationRequest() && ![301, 302, 303, 307].includes(response.status());
  });
  await page.locator('form.primary-form button[type="submit"], form.primary-form button:not([type])').first().click();
  const response = await answered;
  await page.waitForLoadState();
  return response;
}

async function arriveAt(step) {
  await page.waitForLoadState();
  const forms = page.locator("form.primary-form");
  expect((await forms.count()) === 1, `${await forms.count()} primary forms on ${page.url()}`);
  const found = await forms.getAttribute("data-step");
  expect(found === step, `expected the page ${step}, got ${found}`);
}

/** A phone by day, and the narrowest screen by night, which nothing may overflow. */
async function photograph(name) {
  await page.screenshot({ path: `${screenshots}/${name}-390-light.png`, fullPage: true });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize(NARROWEST);
  await page.screenshot({ path: `${screenshots}/${name}-320-dark.png`, fullPage: true });
  const [width, screen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(PHONE);
  await inspector.look(name, page);
  if (width > screen) overflows.push(`${name}: ${width} px wide on a screen of ${screen} px`);
}

function firstLine(text) {
  return text.trim().split("\n")[0];
}
