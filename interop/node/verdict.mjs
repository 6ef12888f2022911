// How a judge reports: one JSON object a line, read by `cargo xtask test`.

import { readFileSync } from "node:fs";

/** Runs one check and reports it; what a check returns is a short detail, what it throws is why it failed. */
export async function judge(check, verdict) {
  try {
    report(check, true, (await verdict()) ?? "");
    return true;
  } catch (error) {
    report(check, false, `${error.name ?? "Error"}: ${error.message ?? error}`);
    return false;
  }
}

/** Fails unless `attempt` rejects. */
export async function mustRefuse(what, attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.code ?? error.name;
  }
  throw new Error(`${what} was accepted`);
}

export function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** What the demo printed with `--json`. */
export function readDemo() {
  return JSON.parse(readFileSync(process.argv[2], "utf8"));
}

function report(check, ok, detail) {
  console.log(JSON.stringify({ check, ok, detail: String(detail).slice(0, 2000) }));
}
