// The client application of the browser's journey: asks for a signature, waits for the redirect, redeems the code.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { expect } from "./verdict.mjs";

/** The worker and the user domain that the demo's resources declare. */
const WORKER = "contracts";
const DOMAIN = "staff";

export class Portal {
  #demo;
  #verifier = randomBytes(32).toString("base64url");
  #state = randomBytes(16).toString("base64url");
  #server;
  #back;
  #document;

  constructor(demo, document) {
    this.#demo = demo;
    this.#document = document;
  }

  /** Listens for the redirect on a port of its own: for a native client, any loopback port will do (RFC 8252). */
  async listen() {
    const { promise, resolve } = deferred();
    this.#back = promise;
    this.redirectUri = new URL(this.#demo.client.redirect_uri);
    this.#server = createServer((request, response) => {
      const url = new URL(request.url, this.redirectUri);
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end("<!doctype html><title>Contract portal</title><p>Back at the contract portal.");
      if (url.pathname === this.redirectUri.pathname) resolve(url);
    });
    await new Promise((listening) => this.#server.listen(0, "127.0.0.1", listening));
    this.redirectUri.port = this.#server.address().port;
  }

  close() {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  /** Asks the worker without a token; the answer carries the page to open. */
  async challenge() {
    const response = await fetch(`${this.#demo.servers.signing}/v1/workers/${WORKER}/sign`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        input: { digest: { alg: "SHA-256", value: sha256(this.#document.bytes).toString("base64") } },
        filename: this.#document.name,
        media_type: this.#document.mediaType,
        authentication: {
          client_id: this.#demo.client.client_id,
          redirect_uri: this.redirectUri.href,
          state: this.#state,
          code_challenge: sha256(this.#verifier).toString("base64url"),
          code_challenge_method: "S256",
          domain: DOMAIN,
          login_hint: this.#demo.user.username,
        },
      }),
    });
    const problem = await response.json();
    expect(response.status === 401 && problem.code === "token_missing", `${response.status} ${JSON.stringify(problem)}`);
    expect(/^Bearer\b/.test(response.headers.get("www-authenticate") ?? ""), "no WWW-Authenticate: Bearer");
    expect(problem.context?.authorize_url, "no authentication context");
    return problem;
  }

  /** The code of the redirect, looked at as a careful client does (state, RFC 9207 issuer). */
  async code() {
    const back = (await within(10_000, this.#back, "nobody came back from the login")).searchParams;
    expect(back.get("state") === this.#state, "another state came back");
    expect(back.get("iss") === this.#demo.servers.authorization, `iss ${back.get("iss")}`);
    expect(back.get("code"), `no code, but ${back.get("error")}`);
    return back.get("code");
  }

  async redeem(code, verifier = this.#verifier) {
    const response = await fetch(`${this.#demo.servers.authorization}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code,
        redirect_uri: this.redirectUri.href,
        client_id: this.#demo.client.client_id,
        code_verifier: verifier,
      }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Sends the document with the token: raw, and asks for the signed document itself. */
  async sign(token, bytes = this.#document.bytes) {
    const url = new URL(`${this.#demo.servers.signing}/v1/workers/${WORKER}/sign`);
    url.searchParams.set("filename", this.#document.name);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": this.#document.mediaType,
        Accept: "application/jose+json",
      },
      body: bytes,
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
}

export function within(ms, promise, otherwise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function sha256(data) {
  return createHash("sha256").update(data).digest();
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
