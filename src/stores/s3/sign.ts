/** Signature version 4, with credentials from the usual chain. Both libraries are loaded at the first signed request. */
import { createHash, createHmac } from 'node:crypto';
import { CarrelError } from '../../errors.ts';

/** What a signature is made of. Never logged. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  expiration?: Date | undefined;
}

/** Gives credentials; called for every request, so it should remember. */
export type S3CredentialProvider = () => Promise<S3Credentials>;

/** A request to sign. */
export interface SignableRequest {
  method: string;
  /** `http:` or `https:`. */
  protocol: string;
  /** With the port, if it is not the default one. */
  host: string;
  /** Percent-encoded as it goes over the wire. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  region: string;
}

/** Gives the headers with `authorization`, `x-amz-date` and the session token added. */
export type SignRequest = (request: SignableRequest) => Promise<Record<string, string>>;

/** The hash that the library wants, over Node's own. */
class NodeSha256 {
  #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash('sha256');
    else this.#hash = createHmac('sha256', typeof secret === 'string' ? secret : bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/**
 * Makes a signer. Signing rejects with `permission` where no credentials are found.
 *
 * @param provider default: environment, shared files, SSO, web identity, container and instance metadata
 * @param env whose `AWS_PROFILE` and `AWS_SHARED_CREDENTIALS_FILE` that chain uses; the rest it reads by itself
 */
export function createSigner(
  provider?: S3CredentialProvider,
  env: Readonly<Record<string, string | undefined>> = {},
): SignRequest {
  let chain: Promise<S3CredentialProvider> | undefined;
  const credentials = async (): Promise<S3Credentials> => {
    try {
      chain ??= provider === undefined ? loadChain(env) : Promise.resolve(provider);
      return await (await chain)();
    } catch (cause) {
      throw new CarrelError('permission', 'no credentials for a signed request were found', {
        next: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or make the mirror anonymous',
        cause,
      });
    }
  };
  return async ({ method, protocol, host, path, query, headers, region }) => {
    const [{ SignatureV4 }, identity] = await Promise.all([import('@smithy/signature-v4'), credentials()]);
    const signer = new SignatureV4({
      service: 's3',
      region,
      credentials: identity,
      sha256: NodeSha256,
      uriEscapePath: false, // S3 signs the path as it stands
      applyChecksum: true,
    });
    const [hostname = '', port] = host.split(':');
    const signed = await signer.sign({
      method,
      protocol,
      hostname,
      ...(port === undefined ? {} : { port: Number(port) }),
      path,
      query,
      headers: { ...headers, host },
    });
    return signed.headers;
  };
}

async function loadChain(env: Readonly<Record<string, string | undefined>>): Promise<S3CredentialProvider> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  const [profile, filepath] = [env['AWS_PROFILE'], env['AWS_SHARED_CREDENTIALS_FILE']];
  // A profile that is named goes before keys of the environment, as in Amazon's own tools.
  return fromNodeProviderChain({ ...(profile && { profile }), ...(filepath && { filepath }) });
}
