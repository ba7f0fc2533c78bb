/** The `context` of a public link of Faspex 5: base64 of compact JSON, often damaged on its way through pages and mails. */
import * as v from 'valibot';

/** What a context says. Fields as met at TCIA and in IBM's Faspex 5 API v5. */
export interface LinkContext {
  /** As the server made it: base64 with padding. Whoever has it can read the package. */
  text: string;
  resource?: string | undefined;
  /** `external_download_package`, `external_view_package`, `external_upload_to_user`, … */
  type?: string | undefined;
  packageId?: string | undefined;
  passcode?: string | undefined;
}

const IDENTIFIER = v.pipe(v.union([v.string(), v.number()]), v.transform(String));

const FIELDS = v.looseObject({
  resource: v.optional(v.string()),
  type: v.optional(v.string()),
  id: v.nullish(IDENTIFIER),
  package_id: v.nullish(IDENTIFIER),
  passcode: v.nullish(v.string()),
});

/** Escapes of percent signs that are undone: a link within a link within a link. */
const MOST_ESCAPES = 3;

/**
 * Reads the value of the parameter as it stands in the query. Undone: percent escapes (of the padding, usually), `+` that
 * became a space, base64url, lost padding, line breaks of mails. Undefined where no JSON object comes out.
 */
export function readContext(raw: string): LinkContext | undefined {
  const bytes = decodeBase64(withoutEscapes(raw));
  if (bytes === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(FIELDS, json);
  if (!parsed.success) return undefined;
  const { resource, type, id, package_id, passcode } = parsed.output;
  return {
    text: Buffer.from(bytes).toString('base64'),
    resource,
    type,
    packageId: package_id ?? id ?? undefined,
    passcode: passcode ?? undefined,
  };
}

function withoutEscapes(raw: string): string {
  let text = raw;
  // Base64 holds no percent sign, so each one left is an escape.
  for (let times = 0; times < MOST_ESCAPES && text.includes('%'); times += 1) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return text;
    }
  }
  return text;
}

function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text
    .replaceAll(/[\r\n\t]/g, '')
    .trim()
    .replaceAll(' ', '+')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/=+$/, '');
  // One digit alone beyond groups of four is six bits: something was cut off.
  if (digits === '' || !/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits, 'base64');
}
