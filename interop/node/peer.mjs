// panva's jose as a peer: one JSON request a line in, one JSON answer a line out. What the library throws is its answer.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import * as jose from "jose";

const VERSION = JSON.parse(readFileSync(new URL("node_modules/jose/package.json", import.meta.url))).version;

const operations = { versions, sign, verify, generate, export: exported };

/** Keys that were read before. */
const known = new Map();

async function load(alg, { format, data, password }) {
  const name = JSON.stringify([alg, format, data]);
  if (!known.has(name)) known.set(name, await read(alg, format, Buffer.from(data, "base64url"), password));
  return known.get(name);
}

async function read(alg, format, data, password) {
  if (password) throw new Error("no function takes a password");
  const options = { extractable: true };
  if (format === "jwk") return jose.importJWK(JSON.parse(data), alg, options);
  const text = data.toString();
  if (format === "spki-pem") return jose.importSPKI(text, alg, options);
  if (format === "certificate-pem") return jose.importX509(text, alg, options);
  // The other PEM labels are for the library to refuse.
  if (text.startsWith("-----BEGIN")) return jose.importPKCS8(text, alg, options);
  throw new Error(`no function reads ${format}`);
}

function versions() {
  return { jose: VERSION, node: process.versions.node };
}

function header(form, { alg, kid }) {
  return form.startsWith("unencoded") ? { alg, kid, b64: false, crit: ["b64"] } : { alg, kid };
}

async function sign({ form, signers, payload }) {
  const bytes = Buffer.from(payload, "base64url");
  const [signer] = signers;
  if (form === "compact") {
    const key = await load(signer.alg, signer.key);
    return { token: await new jose.CompactSign(bytes).setProtectedHeader(header(form, signer)).sign(key) };
  }
  let token;
  if (form.includes("general")) {
    const general = new jose.GeneralSign(bytes);
    for (const each of signers)
      general.addSignature(await load(each.alg, each.key)).setProtectedHeader(header(form, each));
    token = await general.sign();
  } else {
    const key = await load(signer.alg, signer.key);
    token = await new jose.FlattenedSign(bytes).setProtectedHeader(header(form, signer)).sign(key);
  }
  // The library leaves an unencoded payload out, and has no name for the detached forms: both are put together from its
  // parts, as its documentation shows.
  if (form === "detached" || form === "unencoded-detached")
    return { token: `${token.protected}..${token.signature}` };
  if (form === "unencoded") return { token: `${token.protected}.${bytes}.${token.signature}` };
  if (form.includes("detached")) delete token.payload;
  else if (form.startsWith("unencoded")) token.payload = bytes.toString();
  return { token: JSON.stringify(token) };
}

async function verify({ form, signers, token, payload }) {
  const algorithms = signers.map(({ alg }) => alg);
  const keys = new Map();
  for (const signer of signers) keys.set(signer.kid, await load(signer.alg, signer.key));
  const only = (kid) => (protectedHeader) => {
    if (protectedHeader.kid !== kid) throw new Error("not the signature that is looked at");
    return keys.get(kid);
  };
  const [{ kid }] = signers;
  const options = { algorithms };
  if (form === "compact" || form === "unencoded")
    return opened(await jose.compactVerify(token, only(kid), options));
  const content = form.startsWith("unencoded") ? Buffer.from(payload ?? "", "base64url") : payload;
  if (form === "detached" || form === "unencoded-detached") {
    const parts = token.split(".");
    const flattened = { protected: parts[0], payload: content, signature: parts[2] };
    return opened(await jose.flattenedVerify(flattened, only(kid), options));
  }
  const object = JSON.parse(token);
  if (form.includes("detached")) object.payload = content;
  if (!form.includes("general")) return opened(await jose.flattenedVerify(object, only(kid), options));
  // The library stops at the first signature that is valid, so each is asked for by its name.
  let last;
  for (const signer of signers) last = await jose.generalVerify(object, only(signer.kid), options);
  return opened(last);
}

function opened({ payload }) {
  return { payload: Buffer.from(payload).toString("base64url") };
}

async function generate({ alg }) {
  if (alg.startsWith("HS"))
    return { jwk: JSON.stringify(await jose.exportJWK(await jose.generateSecret(alg, { extractable: true }))) };
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { jwk: JSON.stringify(await jose.exportJWK(privateKey)) };
}

async function exported({ alg, key, format, private: secret }) {
  const members = JSON.parse(Buffer.from(key.data, "base64url"));
  // The library makes no public key of a private one.
  if (!secret) for (const name of ["d", "p", "q", "dp", "dq", "qi", "priv"]) delete members[name];
  const native = await jose.importJWK(members, alg, { extractable: true });
  switch (format) {
    case "jwk":
      return { data: Buffer.from(JSON.stringify(await jose.exportJWK(native))).toString("base64url") };
    case "pkcs8-pem":
      return { data: Buffer.from(await jose.exportPKCS8(native)).toString("base64url") };
    case "spki-pem":
      return { data: Buffer.from(await jose.exportSPKI(native)).toString("base64url") };
    default:
      throw new Error(`no function writes ${format}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { ok: await operations[request.op](request) };
  } catch (error) {
    answer = { error: `${error.code ?? error.name}: ${error.message}` };
  }
  console.log(JSON.stringify(answer));
}
