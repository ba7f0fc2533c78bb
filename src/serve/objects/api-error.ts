import { isCarrelError } from '../../errors.ts';
import { type XmlNode, xmlDocument } from './xml.ts';

/** Codes that S3 and the XML API of GCS share, with status and message as S3 words them. */
const ERRORS = {
  AccessDenied: [403, 'Access Denied'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidArgument: [400, 'Invalid Argument'],
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
export type ApiErrorCode = keyof typeof ERRORS;

/** Thrown inside a server to answer with an error document; never leaves the room. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;
  /** Further elements of the XML document, in order. */
  readonly details: XmlNode[];
  readonly headers: Record<string, string>;

  constructor(
    code: ApiErrorCode,
    details: XmlNode[] = [],
    options: { message?: string; headers?: Record<string, string> } = {},
  ) {
    const [status, message] = ERRORS[code];
    super(options.message ?? message);
    this.code = code;
    this.status = status;
    this.details = details;
    this.headers = { ...(code === 'MethodNotAllowed' ? { allow: 'GET, HEAD' } : {}), ...options.headers };
  }
}

/** Anything that was thrown as an `ApiError`: what would lead outside is refused, the rest is our fault. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(isCarrelError(error, 'unsafe') ? 'AccessDenied' : 'InternalError');
}

/** The XML error document. `trailer` stands behind the details. */
export function xmlErrorResponse(error: ApiError, trailer: XmlNode[] = []): Response {
  const nodes: XmlNode[] = [['Code', error.code], ['Message', error.message], ...error.details, ...trailer];
  return xmlResponse(xmlDocument(['Error', nodes]), error.status, error.headers);
}

/** An XML document as a response. */
export function xmlResponse(document: string, status = 200, headers: Record<string, string> = {}): Response {
  const length = String(Buffer.byteLength(document));
  return new Response(document, {
    status,
    headers: { ...headers, 'content-type': 'application/xml', 'content-length': length },
  });
}

/** What HEAD answers: the response of GET without its body. */
export function withoutBody(response: Response): Response {
  void response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}
