import { type XmlNode, xmlDocument } from './xml.ts';

/** Codes of S3 that a read-only server needs, with status and message as S3 words them. */
const ERRORS = {
  AccessDenied: [403, 'Access Denied'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidArgument: [400, 'Invalid Argument'],
  InvalidPartNumber: [416, 'The requested partnumber is not satisfiable'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, 'Your key is too long'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchVersion: [404, 'The specified version does not exist.'],
  NotImplemented: [501, 'A header you provided implies functionality that is not implemented'],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
} as const satisfies Record<string, readonly [number, string]>;

/** A code of the S3 API reference, "Error responses". */
export type S3ErrorCode = keyof typeof ERRORS;

/** Thrown inside the server to answer with S3's error document. */
export class S3Error extends Error {
  readonly code: S3ErrorCode;
  readonly details: XmlNode[];
  readonly headers: Record<string, string>;
  constructor(
    code: S3ErrorCode,
    details: XmlNode[] = [],
    options: { message?: string; headers?: Record<string, string> } = {},
  ) {
    super(options.message ?? ERRORS[code][1]);
    this.code = code;
    this.details = details;
    this.headers = options.headers ?? {};
  }
}

/** The error document; HEAD gets the status alone, as HTTP demands. */
export function s3ErrorResponse(error: S3Error, method: string, requestId: string): Response {
  const [status] = ERRORS[error.code];
  const document = xmlDocument([
    'Error',
    [
      ['Code', error.code],
      ['Message', error.message],
      ...error.details,
      ['RequestId', requestId],
      ['HostId', requestId],
    ],
  ]);
  const headers: Record<string, string> = { ...error.headers, 'content-type': 'application/xml' };
  if (error.code === 'MethodNotAllowed') headers['allow'] = 'GET, HEAD';
  if (method === 'HEAD') return new Response(null, { status, headers });
  headers['content-length'] = String(Buffer.byteLength(document));
  return new Response(document, { status, headers });
}
