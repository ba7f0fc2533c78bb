/** What `ascp` gets to see of our environment. */

/** Variables that are no business of a program of others, and such as would change how it signs in. */
const WITHHELD = /^(?:CARREL_|AWS_|GOOGLE_|AZURE_|ASPERA_SCP_)/;

/** The environment of a child: ours without secrets of other services, and what is added. */
export function childEnv(
  env: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && !WITHHELD.test(name)) kept[name] = value;
  return { ...kept, ...added };
}
