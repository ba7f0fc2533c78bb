/** XML as S3 and GCS write it: one line, no indentation, elements in a fixed order. */

/** An element: its name and its text, or its children. Undefined values are left out. */
export type XmlNode = [name: string, value: string | number | boolean | XmlNode[] | undefined];

/** Text of a document. `namespace` goes on the root element. */
export function xmlDocument(root: XmlNode, namespace?: string): string {
  const [name, value] = root;
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, value, attribute)}`;
}

function element(name: string, value: XmlNode[1], attribute = ''): string {
  if (value === undefined) return '';
  if (!Array.isArray(value)) {
    const text = escapeXml(String(value));
    return text === '' ? `<${name}${attribute}/>` : `<${name}${attribute}>${text}</${name}>`;
  }
  return `<${name}${attribute}>${value.map(([child, inner]) => element(child, inner)).join('')}</${name}>`;
}

/**
 * Escapes text. Control characters become character references, as S3 writes them: XML 1.0 forbids most of them,
 * which is why clients ask for `encoding-type=url`.
 */
function escapeXml(text: string): string {
  return text.replace(/[&<>"'\p{Cc}\ufffe\uffff]/gu, (character) => {
    return ENTITIES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`;
  });
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
