// A person's journey in a real browser: log in, approve, and get a document signed. Screenshots of each page are kept.
//
// usage: node login.mjs DEMO.json CHROMIUM SCREENSHOT-FOLDER

import { X509Certificate } from "node:crypto";
import { flattenedVerify } from "jose";
import { Portal } from "./portal.mjs";
import { STEP_MS, totp } from "./totp.mjs";
import { expect, judge, mustRefuse, readDemo } from "./verdict.mjs";
import { Window } from "./window.mjs";

const demo = readDemo();
const [, , , executablePath, screenshots] = process.argv;
const lease = {
  name: "lease.txt",
  mediaType: "text/plain",
  bytes: Buffer.from("The tenant may keep one cat. <script>alert(1)</script>\n"),
};

const portal = new Portal(demo, lease);
await portal.listen();
const window = await Window.open(executablePath, screenshots);
const { page } = window;

try {
  await journey();
} finally {
  await window.close();
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
    await window.arriveAt("login");
    await window.photograph("1-login");
    return page.title();
  });
  if (!opened) return;

  await judge("browser: a wrong password shows the form again", async () => {
    await window.fill("username", demo.user.username);
    await window.fill("password", "not the password");
    const response = await window.submit();
    expect(response.status() === 401, `status ${response.status()}`);
    await window.arriveAt("login");
    await window.photograph("2-login-refused");
    const text = await page.locator("body").innerText();
    expect(!text.includes("not the password"), "the password stands on the page");
    return firstLine(text);
  });

  const known = await judge("browser: the password leads to the second factor", async () => {
    await window.fill("username", demo.user.username);
    await window.fill("password", demo.user.password);
    await window.submit();
    await window.arriveAt("totp");
    await window.photograph("3-second-factor");
  });
  if (!known) return;

  const sure = await judge("browser: the one-time code leads to the approval", async () => {
    const tries = await enterCode();
    await window.arriveAt("approve");
    await window.photograph("4-approve");
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
  await window.verdicts();
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
    await window.fill("code", totp(demo.user.totp_secret, Date.now()));
    const response = await window.submit();
    if (response.status() !== 401) return tries;
    await window.arriveAt("totp");
    await window.photograph("3-second-factor-refused");
    await new Promise((next) => setTimeout(next, STEP_MS - (Date.now() % STEP_MS) + 200));
  }
  throw new Error("no code was taken");
}

function firstLine(text) {
  return text.trim().split("\n")[0];
}
