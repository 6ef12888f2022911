// npm oidc-provider as an issuer of JWT access tokens by client credentials, in memory, as its documentation says.
// Usage: issuer.mjs ALG. Prints its port, and serves /token and /jwks until it is killed.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const alg = process.argv[2];
const type = alg.startsWith("ES") ? ["ec", { namedCurve: "P-256" }] : ["rsa", { modulusLength: 2048 }];
const jwk = generateKeyPairSync(...type).privateKey.export({ format: "jwk" });
const resource = "https://api.example.com";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: "robot",
        client_secret: "0123456789abcdef0123456789abcdef",
        grant_types: ["client_credentials"],
        id_token_signed_response_alg: alg,
        redirect_uris: [],
        response_types: [],
        scope: "orders:read",
      },
    ],
    cookies: { keys: [randomBytes(32).toString("hex")] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "orders:read",
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg } },
        }),
      },
    },
    jwks: { keys: [{ ...jwk, alg, use: "sig", kid: "key" }] },
    scopes: ["orders:read"],
  });
  server.on("request", provider.callback());
  console.log(port);
});
