import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { balancedParts } from '../../src/manifests/index.ts';

interface Item {
  name: string;
  bytes: number;
}
const options = { weight: ({ bytes }: Item) => bytes, name: ({ name }: Item) => name };
const items = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 8 }), bytes: fc.nat(1e9) }),
  {
    selector: ({ name }) => name,
    maxLength: 60,
  },
);
const weigh = (part: readonly Item[]) => part.reduce((sum, { bytes }) => sum + bytes, 0);

describe('parts balanced by weight', () => {
  test('hold every item once, whatever the order of the list', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 12 }), fc.infiniteStream(fc.nat()), (list, of, keys) => {
        const parts = balancedParts(list, of, options);
        expect(parts).toHaveLength(of);
        const shuffled = list
          .map((item) => ({ item, key: keys.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ item }) => item);
        const names = (some: Item[][]) => some.map((part) => part.map(({ name }) => name).sort());
        expect(names(balancedParts(shuffled, of, options))).toEqual(names(parts));
        expect(names(parts).flat().sort()).toEqual(list.map(({ name }) => name).sort());
      }),
    );
  });

  test('the heaviest is never more than an item above the lightest', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 12 }), (list, of) => {
        const weights = balancedParts(list, of, options).map(weigh);
        const largest = Math.max(0, ...list.map(({ bytes }) => bytes));
        expect(Math.max(...weights) - Math.min(...weights)).toBeLessThanOrEqual(largest);
      }),
    );
  });

  test('things without a weight are dealt out by number', () => {
    const list = Array.from({ length: 10 }, (_, at) => ({ name: String(at), bytes: 0 }));
    expect(balancedParts(list, 4, options).map((part) => part.length)).toEqual([3, 3, 2, 2]);
  });

  test.each([0, -1, 1.5])('%s parts are refused', (of) => {
    expect(() => balancedParts([], of, options)).toThrow(/no number of parts/);
  });
});
