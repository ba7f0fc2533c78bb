/**
 * A socket that reads into memory of ours. Node hands each read over in the same buffer (`onread`), which saves an
 * allocation, a stream and half of the processor time; the price is to know when that memory may be written again.
 *
 * The trap: on TLS, stopping to read does not stop what was decrypted already. Up to four more records of 16 KiB arrive
 * after the stop, and would overwrite what the consumer still holds. So while bytes are held, reads go to the rest
 * of the slab, then to a second slab.
 */
import type { OnReadOpts, Socket } from 'node:net';

/**
 * Bytes of one receive buffer: the best of 16 KiB to 1 MiB for objects of half a mebibyte. TLS hands over records of
 * 16 KiB whatever the buffer, so half of that saves memory there and costs nothing.
 */
const SLAB_BYTES = 256 * 1024;
const TLS_SLAB_BYTES = 128 * 1024;

/** Least room that is offered to a read while bytes are held: one full read of the TLS layer. */
const MIN_ROOM = 64 * 1024;

/** A connected socket and its receive memory. */
export interface Link {
  readonly socket: Socket;
  /** Takes what arrives. False: the bytes are held; nothing more is read until `resume`. */
  onBytes: (bytes: Buffer) => boolean;
  /**
   * Memory of the consumer's for the next read, where a body goes straight to its place. What arrives there is told to
   * `landed`, not to `onBytes`. Undefined, or answering with no room: the link's own memory. A read that was under way when
   * this was set still comes by `onBytes`. Links that cannot read into given memory never ask.
   */
  landing: { room: () => Uint8Array; landed: (bytes: number) => void } | undefined;
  /** Nothing is held any more: reads again. */
  resume(): void;
}

/** Makes the receive memory, opens the socket with it, and ties the two together. */
export function createLink(open: (onread: OnReadOpts) => Socket, options: { tls?: boolean } = {}): Link {
  const bytes = options.tls === true ? TLS_SLAB_BYTES : SLAB_BYTES;
  let slab: Buffer | undefined;
  let spare: Buffer | undefined;
  let offset = 0;
  let held = false;
  let swapped = false;
  let landing: Link['landing'];
  /** What the next read was given of the consumer's memory. */
  let room: Uint8Array | undefined;

  const nextBuffer = (): Uint8Array => {
    room = landing?.room();
    if (room !== undefined && room.length > 0) return room;
    room = undefined;
    slab ??= Buffer.allocUnsafeSlow(bytes);
    if (!held) return slab;
    if (slab.length - offset < MIN_ROOM) {
      // A third slab is not expected (a stopped TLS layer holds 64 KiB at most), but must not destroy what is held.
      const next = swapped ? undefined : spare;
      spare = slab;
      slab = next ?? Buffer.allocUnsafeSlow(bytes);
      swapped = true;
      offset = 0;
    }
    return offset === 0 ? slab : slab.subarray(offset);
  };

  const socket = open({
    buffer: nextBuffer,
    callback(count, buffer) {
      if (room !== undefined && buffer === room) {
        landing?.landed(count);
        return true;
      }
      const read = buffer as Buffer;
      if (link.onBytes(read.length === count ? read : read.subarray(0, count))) return true;
      // Where this read stood in the slab is where the next one must not write.
      offset =
        (slab !== undefined && read.buffer === slab.buffer ? read.byteOffset - slab.byteOffset : 0) + count;
      held = true;
      return false;
    },
  });
  const link: Link = {
    socket,
    onBytes: () => true,
    get landing() {
      return landing;
    },
    set landing(next) {
      landing = next;
    },
    resume() {
      if (!held) return;
      held = false;
      swapped = false;
      socket.resume();
    },
  };
  return link;
}

/** The same for a socket that cannot read into given memory: TLS inside a proxy's tunnel (Node ignores `onread` there). */
export function createStreamLink(socket: Socket): Link {
  const link: Link = {
    socket,
    onBytes: () => true,
    landing: undefined,
    resume() {
      if (socket.isPaused()) socket.resume();
    },
  };
  socket.on('data', (bytes: Buffer) => {
    if (!link.onBytes(bytes)) socket.pause();
  });
  return link;
}
