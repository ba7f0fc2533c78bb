/** Patterns level by level, as gsutil walks them: `a/*` asks for one level of `a/`, never for everything below it. */
import type { ObjectStat, Store } from '../stores/index.ts';
import { compileGlob } from './glob.ts';

/** What a pattern of gsutil without `**` matches: objects, and folders (with `/` at their end). */
export interface Level {
  objects: ObjectStat[];
  prefixes: string[];
}

/** Objects and folders that match, each level asked for with the longest prefix that is known. */
export async function listFolders(store: Store, pattern: string, signal?: AbortSignal): Promise<Level> {
  const wantsFolder = pattern.endsWith('/');
  const segments = (wantsFolder ? pattern.slice(0, -1) : pattern).split('/');
  let folders = [''];
  const objects: ObjectStat[] = [];
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const glob = compileGlob(segment, 'gsutil');
    if (!glob.isPattern && !last) {
      folders = folders.map((folder) => `${folder}${segment}/`);
      continue;
    }
    const next: string[] = [];
    for (const folder of folders) {
      for await (const page of store.list(`${folder}${glob.prefix}`, { delimiter: '/', signal })) {
        for (const prefix of page.prefixes)
          if (glob.matches(prefix.slice(folder.length, -1))) next.push(prefix);
        if (!last || wantsFolder) continue;
        for (const stat of page.objects)
          if (!stat.key.endsWith('/') && glob.matches(stat.key.slice(folder.length))) objects.push(stat);
      }
    }
    folders = next;
  }
  return { objects, prefixes: folders };
}
