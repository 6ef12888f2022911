// Debian's mod_oauth2 in an Apache of our own: a temporary folder, a free loopback port. A worker that
// crashes is replaced, as in an Apache that serves.

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folder, freePort, stopWithUs } from "./started.mjs";

const MODULES = "/usr/lib/apache2/modules";

/** Serves `paths`, each behind the lines that say what mod_oauth2 asks there; gives its address and its log. */
export async function apache(program, paths) {
  const root = join(folder, "apache");
  for (const path of Object.keys(paths)) mkdirSync(join(root, "site", path), { recursive: true });
  for (const path of Object.keys(paths)) writeFileSync(join(root, "site", path, "index.html"), "accepted\n");
  // Started by root, it serves as somebody else, who must get at the site.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const log = join(root, "error.log");
  const locations = Object.entries(paths).map(
    ([path, lines]) => `<Location "${path}">\n  AuthType oauth2\n  ${lines.join("\n  ")}\n</Location>`,
  );
  const configuration = `
ServerRoot "${root}"
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile "${root}/httpd.pid"
Mutex file:${root} default
ErrorLog "${log}"
LogLevel warn oauth2:debug
# Only read if it is started by root, to have no more rights than it needs.
User www-data
Group www-data
LoadModule mpm_prefork_module ${MODULES}/mod_mpm_prefork.so
LoadModule authn_core_module ${MODULES}/mod_authn_core.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule dir_module ${MODULES}/mod_dir.so
LoadModule oauth2_module ${MODULES}/mod_oauth2.so
DocumentRoot "${root}/site"
DirectoryIndex index.html
<Directory "/">
  AllowOverride None
</Directory>
# A worker answers one connection after the other.
KeepAlive Off
StartServers 2
MinSpareServers 1
MaxSpareServers 2
${locations.join("\n")}
`;
  writeFileSync(join(root, "httpd.conf"), configuration);
  const args = ["-D", "FOREGROUND", "-d", root, "-f", join(root, "httpd.conf")];
  // In a process group of its own: Apache ends by ending its whole group.
  const child = stopWithUs(spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] }));
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => said.push(text));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) break;
    try {
      await fetch(url);
      return { url, log: () => readFileSync(log, "utf8") };
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`Apache does not answer\n${said.join("")}`);
}
