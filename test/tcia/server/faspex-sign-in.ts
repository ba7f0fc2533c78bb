/** Sign-in of the test server: codes that are good once, tokens that end. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { FaspexFaults } from './faspex-faults.ts';
import type { ServedPackage } from './faspex-packages.ts';

/** What the sign-in knows of the server. */
export interface SignInContext {
  base: string;
  packages: ReadonlyMap<string, ServedPackage>;
  faults: FaspexFaults;
  now: () => number;
  tokenSeconds: number;
}

/** Sign-in of one server. */
export interface SignIn {
  configJs(): Response;
  authorize(url: URL): Response;
  token(request: Request): Promise<Response>;
  /** The package that the request may read, or the answer that refuses it. */
  who(request: Request, packageId: string | undefined): Response | undefined;
}

/** An error as Faspex writes it. */
export function faspexError(status: number, code: string, message: string): Response {
  return Response.json({ status, code, message, trace: randomUUID() }, { status });
}

/** Makes the sign-in. */
export function createSignIn({ base, packages, faults, now, tokenSeconds }: SignInContext): SignIn {
  const clientId = randomUUID();
  const redirectUri = `${base}/token`;
  const codes = new Map<string, string>();
  const tokens = new Map<string, { packageId: string; expires: number; uses: number }>();

  const found = (location: URL | string): Response =>
    new Response(null, { status: 302, headers: { location: String(location) } });

  const redeem = (fields: Record<string, unknown>): Response => {
    const packageId = codes.get(String(fields['code']));
    const good =
      fields['grant_type'] === 'authorization_code' &&
      fields['client_id'] === clientId &&
      String(fields['redirect_uri']).endsWith(redirectUri);
    if (packageId === undefined || !good) return faspexError(400, '1100', 'invalid_grant');
    codes.delete(String(fields['code']));
    const expires = now() + tokenSeconds * 1000;
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { sub: packageId, exp: Math.floor(expires / 1000), jti: randomUUID() };
    const access = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`;
    tokens.set(access, { packageId, expires, uses: 0 });
    return Response.json(
      { access_token: access, token_type: 'Bearer', expiration_date: new Date(expires).toISOString() },
      { status: 201 },
    );
  };

  return {
    configJs() {
      // JavaScript, not JSON: comments, single quotes, a web address, a comma too many, a semicolon.
      const text = [
        '/* settings of the web application */',
        'window.FASPEX_CONFIG = {',
        `  client_id: '${clientId}', // not a secret: every browser reads it`,
        `  redirect_uri: '${redirectUri}',`,
        "  logoUrl: 'https://www.example.org/logo.png?a=1&b={2}',",
        '  features: { httpGateway: false, maxPages: 3, },',
        '};',
        '',
      ];
      return new Response(text.join('\n'), { headers: { 'content-type': 'application/javascript' } });
    },

    authorize(url) {
      if (faults.oldServer === true) return faspexError(404, '1001', 'Not Found');
      const query = url.searchParams;
      const back = new URL(query.get('redirect_uri') ?? redirectUri, url);
      const refuse = (message: string): Response => {
        back.searchParams.set('action_message', message);
        return found(back);
      };
      if (query.get('client_id') !== clientId || query.get('response_type') !== 'code') {
        return faspexError(400, '1101', 'invalid_client');
      }
      if (faults.linkRefused !== undefined) return refuse(faults.linkRefused);
      const state = query.get('state') ?? '';
      let context: Record<string, unknown>;
      try {
        context = JSON.parse(Buffer.from(state, 'base64').toString()) as Record<string, unknown>;
      } catch {
        return refuse('The link is not valid');
      }
      const served = packages.get(String(context['package_id'] ?? context['id']));
      if (served === undefined || context['passcode'] !== served.passcode) {
        return refuse('The link is not valid or has expired');
      }
      // As in IBM's own example, the code holds what must be escaped in a query.
      const code = `${randomBytes(24).toString('base64')}+/==`;
      codes.set(code, served.id);
      const target = new URL(`${redirectUri}?`, faults.foreignRedirect ?? url);
      target.searchParams.set('code', code);
      target.searchParams.set('state', faults.wrongState ?? state);
      return found(faults.foreignRedirect === undefined ? target.pathname + target.search : target);
    },

    async token(request) {
      const text = await request.text();
      if (/json/.test(request.headers.get('content-type') ?? '')) {
        return redeem(JSON.parse(text) as Record<string, unknown>);
      }
      if (faults.jsonTokenOnly === true) return faspexError(400, '1102', 'The body is not JSON');
      return redeem(Object.fromEntries(new URLSearchParams(text)));
    },

    who(request, packageId) {
      const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      const passcode = request.headers.get('passcode');
      if (bearer !== undefined) {
        const token = tokens.get(bearer);
        if (token === undefined || token.expires <= now()) return faspexError(401, '2002', 'Unauthorized');
        token.uses += 1;
        if (token.uses > (faults.requestsPerToken ?? Number.POSITIVE_INFINITY)) {
          tokens.delete(bearer);
          return faspexError(401, '2002', 'The access token has expired');
        }
        const other = packageId !== undefined && packageId !== token.packageId;
        return other ? faspexError(403, '2001', 'Not authorized') : undefined;
      }
      if (passcode === null) return faspexError(401, '2002', 'Unauthorized');
      if (faults.passcodeForbidden === true) {
        return faspexError(403, '2009', 'Access using passcode is forbidden, retry with bearer token');
      }
      const served = packageId === undefined ? undefined : packages.get(packageId);
      const opens = served === undefined ? [...packages.values()] : [served];
      return opens.some((one) => one.passcode === passcode)
        ? undefined
        : faspexError(401, '2002', 'Unauthorized');
    },
  };
}
