// Debian's mod_oauth2 or mod_auth_openidc in an Apache of our own: a temporary folder, a free loopback port. A worker that
// crashes is replaced, as in an Apache that serves.

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folder, freePort, stopWithUs } from "./started.mjs";

const MODULES = "/usr/lib/apache2/modules";

/** What looks at tokens: its module, the `AuthType` by which it is chosen, and what it logs. */
export const MOD_OAUTH2 = { name: "oauth2", authType: "oauth2", logLevel: "oauth2:debug" };
/** As an OAuth 2.0 resource server, which is one of its roles. What it says of keys is at `debug`. */
export const MOD_AUTH_OPENIDC = { name: "auth_openidc", authType: "oauth20", logLevel: "auth_openidc:debug" };

/**
 * Serves `paths`, each behind the lines that say what the module asks there; gives its address and its log. `settings` are
 * lines for the whole server.
 */
export async function apache(program, module, paths, settings = []) {
  const root = join(folder, `apache-${module.name}`);
  for (const path of Object.keys(paths)) mkdirSync(join(root, "site", path), { recursive: true });
  for (const path of Object.keys(paths)) writeFileSync(join(root, "site", path, "index.html"), "accepted\n");
  // Started by root, it serves as somebody else, who must get at the site.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const log = join(root, "error.log");
  const locations = Object.entries(paths).map(
    ([path, lines]) => `<Location "${path}">\n  AuthType ${module.authType}\n  ${lines.join("\n  ")}\n</Location>`,
  );
  const configuration = `
ServerRoot "${root}"
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile "${root}/httpd.pid"
Mutex file:${root} default
ErrorLog "${log}"
LogLevel warn ${module.logLevel}
# Only read if it is started by root, to have no more rights than it needs.
User www-data
Group www-data
LoadModule mpm_prefork_module ${MODULES}/mod_mpm_prefork.so
LoadModule authn_core_module ${MODULES}/mod_authn_core.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule dir_module ${MODULES}/mod_dir.so
LoadModule ${module.name}_module ${MODULES}/mod_${module.name}.so
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
${settings.join("\n")}
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
