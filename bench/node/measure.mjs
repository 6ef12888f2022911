// jose and fast-jwt: verifies the fixture's tokens in a loop and prints nanoseconds.
// Usage: measure.mjs FIXTURE SECONDS-PER-OPERATION

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { createVerifier } from "fast-jwt";
import { importSPKI, jwtVerify } from "jose";

const [path, secondsText] = process.argv.slice(2);
const fixture = JSON.parse(readFileSync(path, "utf8"));
const seconds = Number(secondsText);
const ALGS = ["HS256", "RS256", "ES256", "EdDSA"];

/** Nanoseconds of one call in an undisturbed batch; `batch` runs so many calls one after the other. */
async function tenthPercentile(batch) {
  await batch(200);
  let times = 1;
  const samples = [];
  for (;;) {
    const started = process.hrtime.bigint();
    await batch(times);
    const took = Number(process.hrtime.bigint() - started);
    if (took < 5e6) {
      times *= 2;
      continue;
    }
    samples.push(took / times);
    if (samples.length >= 41 || samples.reduce((sum, ns) => sum + ns * times, 0) > seconds * 1e9) {
      return samples.sort((one, other) => one - other)[Math.floor(samples.length / 10)];
    }
  }
}

async function jose(alg, { secret, public_pem, token }) {
  const key = secret ? Buffer.from(secret, "hex") : await importSPKI(public_pem, alg);
  const options = {
    algorithms: [alg],
    issuer: fixture.issuer,
    audience: fixture.audience,
    typ: "JWT",
    requiredClaims: ["exp", "nbf"],
  };
  return async (times) => {
    for (let n = 0; n < times; n++) await jwtVerify(token, key, options);
  };
}

function fastJwt(cache) {
  return async (alg, { secret, public_pem, token }) => {
    const verify = createVerifier({
      key: secret ? Buffer.from(secret, "hex") : public_pem,
      algorithms: [alg],
      allowedIss: fixture.issuer,
      allowedAud: fixture.audience,
      requiredClaims: ["exp", "nbf"],
      checkTyp: "JWT",
      cache,
    });
    return async (times) => {
      for (let n = 0; n < times; n++) verify(token);
    };
  };
}

/** The version of an installed package, which may keep its manifest to itself. */
function version(name) {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`));
  return JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, "utf8")).version;
}

const libraries = [];
for (const [name, make] of [
  [`jose ${version("jose")}`, jose],
  [`fast-jwt ${version("fast-jwt")}`, fastJwt(false)],
  [`fast-jwt ${version("fast-jwt")}, same token from its cache`, fastJwt(true)],
]) {
  const times = {};
  for (const alg of ALGS) {
    times[`verify/${alg}/jwt`] = await tenthPercentile(await make(alg, fixture.algs[alg]));
  }
  libraries.push({ library: `${name} (Node ${process.versions.node})`, times });
}
console.log(JSON.stringify(libraries));
