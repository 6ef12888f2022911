// axe-core on what a page shows. The journey runs without JavaScript and axe needs it, so each page is shown once more, as it
// came, in a window that has it.

import axe from "axe-core";

export class Inspector {
  #page;
  violations = [];

  constructor(page) {
    this.#page = page;
  }

  /** Looks at a page that is open elsewhere; a mobile screen by day and by night, since contrast differs. */
  async look(name, page) {
    const url = page.url().split("#")[0];
    const body = await page.content();
    const here = ({ href }) => href === url;
    await this.#page.route(here, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body }));
    for (const colorScheme of ["light", "dark"]) {
      // A page that is still appearing has less contrast than it will have.
      await this.#page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await this.#page.goto(url);
      await this.#page.evaluate(axe.source);
      const { violations } = await this.#page.evaluate(() => globalThis.axe.run());
      for (const { id, nodes } of violations) {
        this.violations.push(`${name}, ${colorScheme}: ${id} (${nodes.map(({ target }) => target.join(" ")).join(", ")})`);
      }
    }
    await this.#page.unroute(here);
  }
}
