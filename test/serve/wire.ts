import type { App } from '../../src/serve/index.ts';

/** Sends a request to an app without a socket. */
export function ask(app: App, target: string, init: RequestInit & { host?: string } = {}): Promise<Response> {
  const { host = 'server.test', ...rest } = init;
  return app.fetch(new Request(`http://${host}${target}`, rest));
}

/** A response as text, with what differs from run to run replaced: for golden comparisons. */
export async function asText(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) =>
    name === 'x-amz-request-id' || name === 'x-amz-id-2' ? `${name}: …` : `${name}: ${value}`,
  );
  const body = (await response.text())
    .replace(/<(RequestId|HostId)>[0-9A-F]{16}</g, '<$1>…<')
    .replace(/<CreationDate>[^<]+</g, '<CreationDate>…<');
  return [response.status, ...headers, '', body].join('\n');
}

/** Texts of all elements of a name, unescaped. */
export function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:>([^<]*)</${name}>|/>)`, 'g'));
  return [...found].map(([, text = '']) =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&apos;', "'")
      .replace(/&#x([0-9a-f]+);/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll('&amp;', '&'),
  );
}
