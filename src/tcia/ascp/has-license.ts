/** Whether IBM's licence file is where `ascp` looks for it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** True where `aspera-license` stands beside the program, in `etc` below it or in `../etc`. */
export function hasLicense(ascp: string): boolean {
  const folder = dirname(ascp);
  return [folder, join(folder, 'etc'), join(folder, '..', 'etc')].some((place) =>
    existsSync(join(place, 'aspera-license')),
  );
}
