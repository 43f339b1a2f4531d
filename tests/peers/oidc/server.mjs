// The authorization server of the tests: strict, and not ours. Prints its issuer, then a line for each event.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const hour = 3600;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "doorkey",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1/callback"],
    },
  ],
  scopes: ["openid", "offline_access", "email"],
  claims: { openid: ["sub"], email: ["email"] },
  // What a public client needs to show who signed in; the default hands claims out at another endpoint only.
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@peer.example` }) }),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  issueRefreshToken: async (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: hour,
    RefreshToken: hour,
    Session: hour,
    Grant: hour,
    Interaction: hour,
    IdToken: hour,
    DeviceCode: hour,
  },
});

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
provider.on("grant.success", (context) => tell({ event: "granted", grant: context.oidc.params.grant_type }));
provider.on("grant.error", (_, error) => tell({ event: "refused", error: error.error }));
provider.on("grant.revoked", () => tell({ event: "revoked" }));
provider.on("refresh_token.destroyed", () => tell({ event: "destroyed" }));
provider.on("server_error", (_, error) => tell({ event: "broken", error: String(error) }));

server.on("request", provider.callback());
tell({ event: "listening", issuer });
