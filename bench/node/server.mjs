// What people put before an API in Node: express, jsonwebtoken and jwks-rsa, as their READMEs say.
// Usage: server.mjs FIXTURE JWKS-URI. Prints its port, and serves GET /layer until it is killed.

import { readFileSync } from "node:fs";

import express from "express";
import jwt from "jsonwebtoken";
import jwksClient from "jwks-rsa";

const [path, jwksUri] = process.argv.slice(2);
const { issuer, audience } = JSON.parse(readFileSync(path, "utf8"));

const client = jwksClient({ jwksUri, cache: true, rateLimit: true });
const getKey = (header, done) => {
  client.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey()));
};

const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.get("/layer", (request, response) => {
  const [, token] = /^Bearer ([^ ]+)$/.exec(request.headers.authorization ?? "") ?? [];
  jwt.verify(token, getKey, { algorithms: ["ES256"], issuer, audience }, (error, claims) => {
    if (error) return response.status(401).json({ message: "invalid token" });
    response.type("text/plain").send(`hello ${claims.sub}\n`);
  });
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
