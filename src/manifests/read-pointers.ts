/** TCIA's XML manifests: `<TCIACollection><Downloads><URL>…/x.tcia</URL>`, which name nothing but other manifests. */
import { XMLParser } from 'fast-xml-parser';
import { CarrelError } from '../errors.ts';
import type { Collector } from './collector.ts';

/** True for the start of TCIA's XML form. */
export function isPointerXml(start: string): boolean {
  return (
    !/^<(?:!doctype html|html)/i.test(start) && /<(?:\w+:)?TCIACollection[\s/>]/i.test(start.slice(0, 20_000))
  );
}

/** Reads the addresses of an XML manifest; one that is no http(s) address becomes a problem. */
export function readPointers(text: string, collector: Collector): void {
  const urls = urlsIn(text, collector.origin);
  let from = 0;
  for (const url of urls) {
    const at = text.indexOf(url.slice(0, url.search(/[&<>"']|$/)), from);
    if (at >= 0) from = at + 1;
    const line = text.slice(0, Math.max(at, 0)).split(/\r\n|\n|\r/).length;
    addPointer(line, url, url, collector);
  }
}

/** Adds an address of a manifest, or says why it is none. */
export function addPointer(line: number, text: string, url: string, collector: Collector): void {
  if (url === '') collector.problem(line, text, 'the address of the manifest is empty');
  else if (!/^https?:\/\/[^/\s]/i.test(url) || !URL.canParse(url))
    collector.problem(line, text, 'is not an http(s) address of a manifest');
  else collector.pointer(line, text, url);
}

/** The text of every `URL` element, in order. */
function urlsIn(text: string, origin: string): string[] {
  let tree: unknown;
  try {
    // Entities of a DOCTYPE are not expanded: the parser refuses what could swell.
    tree = new XMLParser({ removeNSPrefix: true, preserveOrder: true, parseTagValue: false }).parse(text);
  } catch (cause) {
    throw new CarrelError(
      'bad-input',
      `${origin} is XML that cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { item: origin, next: 'fetch the file again', cause },
    );
  }
  const urls: string[] = [];
  collect(tree, false, urls);
  return urls;
}

/** With `preserveOrder` an element is `{ name: children }`, and a text `{ '#text': … }`. */
function collect(nodes: unknown, inUrl: boolean, urls: string[]): void {
  if (!Array.isArray(nodes)) return;
  for (const node of nodes as Record<string, unknown>[]) {
    for (const [name, value] of Object.entries(node)) {
      if (name === '#text') {
        if (inUrl) urls.push(String(value).trim());
      } else {
        const isUrl = name.toLowerCase() === 'url';
        if (isUrl && Array.isArray(value) && value.length === 0) urls.push('');
        else collect(value, isUrl, urls);
      }
    }
  }
}
