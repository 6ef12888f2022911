// A window of a real browser: JavaScript is off, as the pages must work without it. Its profile goes into TMPDIR.

import { chromium } from "playwright-core";
import { Inspector } from "./accessibility.mjs";
import { expect, judge } from "./verdict.mjs";

export const PHONE = { width: 390, height: 844 };
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

export class Window {
  #inspector;
  #screenshots;
  #complaints = [];
  #overflows = [];
  #strangers = [];
  /** What a person sees; Playwright's page. */
  page;

  /** Opens a window as wide as a phone; pages that are photographed go into the folder `screenshots`. */
  static async open(executablePath, screenshots) {
    const window = new Window();
    window.browser = await chromium.launch({ executablePath, args: FLAGS });
    window.#screenshots = screenshots;
    await window.forget();
    window.#inspector = new Inspector(await window.browser.newPage({ viewport: PHONE }));
    return window;
  }

  /** Goes on as a browser that was never here. */
  async forget() {
    await this.page?.context().close();
    this.page = await this.browser.newPage({ javaScriptEnabled: false, viewport: PHONE, colorScheme: "light" });
    this.page.setDefaultTimeout(PATIENCE_MS);
    this.page.on("console", (message) => {
      // Pages answered with 401 or 403 are those that we provoked.
      if (message.type() === "error" && !/\b40[13]\b/.test(message.text())) this.#complaints.push(message.text());
    });
    this.page.on("request", (request) => {
      if (new URL(request.url()).hostname !== "127.0.0.1") this.#strangers.push(request.url());
    });
  }

  fill(name, value) {
    return this.page.locator(`form.primary-form [name="${name}"]`).fill(value);
  }

  /** Presses the first button of the page's form and waits for the page that answers. */
  submit() {
    const button = 'form.primary-form button[type="submit"], form.primary-form button:not([type])';
    return this.press(this.page.locator(button).first());
  }

  /** Presses a button or follows a link, and waits for the page that answers. */
  async press(what) {
    const answered = this.page.waitForResponse((response) => {
      const request = response.request();
      return request.isNavigationRequest() && ![301, 302, 303, 307].includes(response.status());
    });
    await what.click();
    const response = await answered;
    await this.page.waitForLoadState();
    return response;
  }

  /** Expects the one form of a page of this step. */
  async arriveAt(step) {
    await this.page.waitForLoadState();
    const forms = this.page.locator("form.primary-form");
    expect((await forms.count()) === 1, `${await forms.count()} primary forms on ${this.page.url()}`);
    const found = await forms.getAttribute("data-step");
    expect(found === step, `expected the page ${step}, got ${found}`);
  }

  /** A phone by day, and the narrowest screen by night, which nothing may overflow; and `more` of [viewport, scheme]. */
  async photograph(name, more = []) {
    for (const [viewport, colorScheme] of [[PHONE, "light"], [NARROWEST, "dark"], ...more]) {
      await this.page.setViewportSize(viewport);
      await this.page.emulateMedia({ colorScheme });
      const path = `${this.#screenshots}/${name}-${viewport.width}-${colorScheme}.png`;
      await this.page.screenshot({ path, fullPage: true });
      const [width, screen] = await this.page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      if (width > screen) this.#overflows.push(`${name}: ${width} px wide on a screen of ${screen} px`);
    }
    await this.page.emulateMedia({ colorScheme: "light" });
    await this.page.setViewportSize(PHONE);
    await this.#inspector.look(name, this.page);
  }

  /** What must hold for every page that was shown. */
  async verdicts() {
    await judge("browser: no error on the console, and no request to anybody else", () => {
      expect(this.#complaints.length === 0, this.#complaints.join("; "));
      expect(this.#strangers.length === 0, this.#strangers.join("; "));
    });
    await judge("browser: no page is wider than a screen of 320 px", () => {
      expect(this.#overflows.length === 0, this.#overflows.join("; "));
    });
    await judge("axe-core finds nothing on any page, by day or by night", () => {
      expect(this.#inspector.violations.length === 0, this.#inspector.violations.join("; "));
    });
  }

  close() {
    return this.browser.close();
  }
}
