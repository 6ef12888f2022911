// The login pages without a browser: fetch, one cookie jar, and the forms as they come.

import { totp, STEP_MS } from "./totp.mjs";
import { expect } from "./verdict.mjs";

/** Goes through the pages as the demo's user, and returns when the application has been called back. */
export async function logIn(authorizeUrl, user) {
  const visitor = new Visitor();
  let page = await visitor.get(authorizeUrl);
  for (let pages = 0; pages < 8; pages += 1) {
    if (page.step === undefined) return;
    if (page.step === "login") {
      page = await visitor.submit(page, { username: user.username, password: user.password });
    } else if (page.step === "totp") {
      if (page.status === 401) await new Promise((next) => setTimeout(next, STEP_MS - (Date.now() % STEP_MS) + 200));
      page = await visitor.submit(page, { code: totp(user.totp_secret, Date.now()) });
    } else if (page.step === "approve") {
      page = await visitor.submit(page, { decision: "approve" });
    } else {
      throw new Error(`an unknown page ${page.step}`);
    }
  }
  throw new Error("the login pages never end");
}

class Visitor {
  #cookies = new Map();

  get(url) {
    return this.#send(new URL(url), { method: "GET" });
  }

  submit(page, fields) {
    const body = new URLSearchParams([...page.hidden, ...Object.entries(fields)]);
    return this.#send(page.action, { method: "POST", body, headers: { Origin: page.action.origin } });
  }

  async #send(url, request) {
    for (let redirects = 0; redirects < 10; redirects += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { ...request.headers, ...(cookie && { Cookie: cookie }) };
      const response = await fetch(url, { ...request, headers, redirect: "manual" });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = line.split(";")[0].split(/=(.*)/s);
        this.#cookies.set(name, value);
      }
      if (response.status < 300 || response.status > 399) return read(url, response.status, await response.text());
      url = new URL(response.headers.get("location"), url);
      request = { method: "GET" };
    }
    throw new Error("the login pages redirect in a loop");
  }
}

function read(url, status, html) {
  const tag = (html.match(/<form\b[^>]*>/g) ?? []).find((form) => /class="[^"]*\bprimary-form\b/.test(form));
  if (!tag) {
    expect(status === 200, `${status} from ${url.pathname}`);
    return { status };
  }
  const inputs = (html.match(/<input\b[^>]*>/g) ?? []).filter((input) => attribute(input, "type") === "hidden");
  return {
    status,
    step: attribute(tag, "data-step"),
    action: new URL(attribute(tag, "action"), url),
    hidden: inputs.map((input) => [attribute(input, "name"), attribute(input, "value") ?? ""]),
  };
}

function attribute(tag, name) {
  const value = tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1];
  return value?.replace(/&(?:#(\d+)|(\w+));/g, (_, number, word) =>
    number ? String.fromCodePoint(number) : { amp: "&", lt: "<", gt: ">", quot: '"' }[word]);
}
