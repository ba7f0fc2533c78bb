// A plugin of esbuild that leads imports of a room's index.ts straight to the files behind it.
//
// esbuild decides by whole files what a chunk needs: whoever imports one small function through `manifests/index.ts`
// gets every file that the index names, with XML, CSV and zip readers, as long as any command uses them. In the sources the
// index stays the only door of a room.
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';

const FROM_INDEX = /^import (type )?(?:\{([^}]*)\}|(\* as \w+)) from '([^']*\/index\.ts)';/gm;
const LAZY_INDEX = /const \{([^}]*)\} = await import\('([^']*\/index\.ts)'\)/g;
const REEXPORT = /^export (type )?(?:\{([^}]*)\}|\*(?: as \w+)?) from '([^']+)';/gm;
const OWN_NAMES = /^export \{([^}]*)\};/gm;
const OWN_EXPORT = /^export (?:async )?(?:function\*?|const|class|let) (\w+)/gm;

export function pastTheDoors() {
  const doors = new Map();
  return {
    name: 'past-the-doors',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^behind-the-door:/ }, ({ path, resolveDir }) => {
        const [, names, door] = /^behind-the-door:([^:]*):(.*)$/.exec(path);
        return {
          path: `${names}:${resolve(resolveDir, door)}`,
          namespace: 'behind-the-door',
          sideEffects: false,
        };
      });
      onLoad({ filter: /./, namespace: 'behind-the-door' }, ({ path }) => {
        const [, names, door] = /^([^:]*):(.*)$/.exec(path);
        const contents = direct(names.split(','), door, dirname(door)).map((line) =>
          line.replace(/^import/, 'export'),
        );
        return { contents: contents.join('\n'), resolveDir: dirname(door), loader: 'ts' };
      });
      onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        if (path.endsWith('.d.ts')) return;
        const text = readFileSync(path, 'utf8');
        const folder = dirname(path);
        const contents = text
          .replace(FROM_INDEX, (whole, type, names, _star, door) => {
            if (type !== undefined) return blank(whole);
            if (names === undefined) return whole;
            return direct(listOf(names), resolve(folder, door), folder).join(' ') + blank(whole);
          })
          .replace(LAZY_INDEX, (_whole, names, door) => {
            const list = listOf(names).map((name) => name.split(/\s*:\s*/)[0]);
            return `const {${names}} = await import('behind-the-door:${list.join()}:${door}')`;
          });
        return contents === text ? undefined : { contents, loader: 'ts' };
      });
    },
  };

  /** Import statements for these names of a door (`a`, `a as b`), relative to a folder. */
  function direct(names, door, folder) {
    return names.map((name) => {
      const [outer, inner = outer] = name.split(' as ');
      const found = exportsOf(door).get(outer);
      if (found === undefined) throw new Error(`${door} does not export ${outer}`);
      const path = relative(folder, found.path).split(sep).join('/');
      return `import { ${found.name} as ${inner} } from '${path.startsWith('.') ? path : `./${path}`}';`;
    });
  }

  /** Where each value that a file exports is defined. */
  function exportsOf(path) {
    const known = doors.get(path);
    if (known !== undefined) return known;
    const found = new Map();
    doors.set(path, found);
    const text = readFileSync(path, 'utf8');
    for (const [, name] of text.matchAll(OWN_EXPORT)) found.set(name, { path, name });
    for (const [, names] of text.matchAll(OWN_NAMES))
      for (const name of listOf(names)) {
        const outer = name.split(' as ').at(-1);
        found.set(outer, { path, name: outer });
      }
    for (const [, type, names, from] of text.matchAll(REEXPORT)) {
      if (type !== undefined) continue;
      const behind = resolve(dirname(path), from);
      if (!from.startsWith('.')) {
        // What comes out of a package is taken from the door itself.
        for (const name of listOf(names ?? ''))
          found.set(name.split(' as ').at(-1), { path, name: name.split(' as ').at(-1) });
        continue;
      }
      const inside = exportsOf(behind);
      if (names === undefined) for (const [name, where] of inside) found.set(name, where);
      else
        for (const name of listOf(names)) {
          const [inner, outer = inner] = name.split(' as ');
          const where = inside.get(inner);
          if (where === undefined) throw new Error(`${path}: ${behind} does not define ${inner}`);
          found.set(outer, where);
        }
    }
    return found;
  }
}

/** Values of `a, type B, c as d`. */
function listOf(names) {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
}

/** As many line ends as the text has: lines keep their numbers. */
function blank(text) {
  return '\n'.repeat(text.split('\n').length - 1);
}
