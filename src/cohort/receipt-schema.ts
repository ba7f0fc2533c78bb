/** The shape of a line of `carrel.receipts.jsonl`; `docs/carrel-receipts.schema.json` is written from it. */
import * as v from 'valibot';

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const run = v.pipe(text, v.uuid(), v.description('Ties the lines of one run together'));
const time = v.pipe(text, v.isoTimestamp());
const digest = v.nullable(
  v.pipe(text, v.regex(/^(md5|crc32c|sha256|crc64nvme):[0-9a-f]+$/), v.description('algorithm:hex')),
);

/** One line. Unknown members are ignored: members may be added, never renamed. */
export const receiptSchema = v.pipe(
  v.variant('type', [
    v.object({
      type: v.literal('run'),
      receipts: v.literal(1),
      run,
      time,
      command: text,
      version: v.nullable(text),
      archive: text,
      release: v.nullable(text),
    }),
    v.object({
      type: v.literal('file'),
      run,
      key: text,
      path: text,
      bytes: count,
      digest,
      verifiedBy: v.picklist(['sha256', 'md5', 'crc64nvme', 'crc32c', 'size', 'none']),
      how: v.picklist(['fetched', 'reused']),
      mirror: v.nullable(text),
      attempts: count,
      milliseconds: count,
    }),
    v.object({
      type: v.literal('failure'),
      run,
      key: text,
      path: text,
      code: text,
      message: text,
      attempts: count,
    }),
    v.object({
      type: v.literal('end'),
      run,
      time,
      fetched: count,
      reused: count,
      present: count,
      failed: count,
      lock: digest,
    }),
  ]),
  v.title('A line of carrel.receipts.jsonl'),
);
