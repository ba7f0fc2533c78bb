/** Who moves the bytes of a package: an HTTP gateway where its server has one, else `ascp`. */
import { CarrelError, isCarrelError } from '../../errors.ts';
import { createAscpTransport } from '../ascp/ascp-transport.ts';
import { ascpVersion } from '../ascp/ascp-version.ts';
import { type Machine, requireAscp } from '../ascp/find-ascp.ts';
import { findKey } from '../ascp/find-key.ts';
import type { FaspexClient } from '../faspex/faspex-client.ts';
import { findGateway } from '../faspex/find-gateway.ts';
import type { TransferType } from '../faspex/transfer-spec.ts';
import { openGatewayTransport } from '../gateway/gateway-transport.ts';
import type { PackageTransport } from '../transport.ts';

/** Names of the roads. */
export const TRANSPORTS = ['auto', 'ascp', 'gateway'] as const;

/** Which road is taken. */
export type TransportChoice = (typeof TRANSPORTS)[number];

/** What a transport is opened with. */
export interface OpenTransportOptions {
  /** Default `auto`. */
  transport?: TransportChoice | undefined;
  /** Where programs and keys are looked for. */
  machine: Machine;
  /** Path of `ascp`, and of the client key. */
  ascp?: string | undefined;
  sshKey?: string | undefined;
  /** Upper bound of the rate of `ascp`, in kilobits per second. */
  maxRateKbps?: number | undefined;
  /** Milliseconds; see `AscpTransportOptions`. For tests and impatient programs. */
  stallMs?: number | undefined;
  retryDelayMs?: number | undefined;
  attempts?: number | undefined;
  onNote?: ((message: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A road, and how Faspex is asked for it. */
export interface OpenedTransport {
  transport: PackageTransport;
  type: TransferType;
}

/** The gateway of a server; undefined where there is none or none is wanted. @throws CarrelError `unsupported` where one is wanted */
export async function gatewayOf(
  client: FaspexClient,
  { transport = 'auto', signal }: Pick<OpenTransportOptions, 'transport' | 'signal'>,
): Promise<string | undefined> {
  if (transport === 'ascp') return undefined;
  const url = await findGateway(client, signal);
  if (url !== undefined || transport === 'auto') return url;
  throw new CarrelError('unsupported', `${new URL(client.link.origin).host} offers no HTTP gateway`, {
    item: client.link.name,
    next: 'leave out --transport gateway: packages of this server come over FASP, with ascp',
  });
}

/**
 * Opens a transport. A gateway that is offered and does not answer is passed over with a note, unless it was asked for.
 *
 * @param gateway of `gatewayOf`
 * @throws CarrelError `unsupported` where there is no `ascp`; as `readGateway`
 */
export async function openTransport(
  client: FaspexClient,
  gateway: string | undefined,
  options: OpenTransportOptions,
): Promise<OpenedTransport> {
  const { machine, signal, retryDelayMs, attempts } = options;
  if (gateway !== undefined) {
    try {
      const { http } = client.options;
      const transport = await openGatewayTransport({ url: gateway, http, signal, retryDelayMs });
      return { transport, type: 'http_gateway' };
    } catch (error) {
      const passOver =
        isCarrelError(error, 'network', 'not-found', 'unsafe') && options.transport !== 'gateway';
      if (!passOver) throw error;
      options.onNote?.(`the HTTP gateway of the server cannot be used: ${error.message}`);
    }
  }
  const { path } = requireAscp({ ...machine, ascp: options.ascp });
  const version = await ascpVersion(path, { env: machine.env, signal });
  const key = findKey({ ...machine, key: options.sshKey, ascp: path });
  const transport = createAscpTransport({
    ascp: path,
    version,
    key,
    env: machine.env,
    maxRateKbps: options.maxRateKbps,
    stallMs: options.stallMs,
    retryDelayMs,
    attempts,
  });
  return { transport, type: 'connect' };
}
