/** Flags of commands that fetch a little of a package: who moves the bytes. */
import { type Command, Option } from 'commander';
import { TRANSPORTS, type TransportChoice } from '../tcia/index.ts';

/** `--transport`, `--ascp`, `--ssh-key`. */
export function addTransportFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--transport <how>', 'auto, ascp or gateway').choices([...TRANSPORTS]).default('auto'),
    )
    .addOption(new Option('--ascp <path>', "IBM's ascp, or the folder that holds it"))
    .addOption(new Option('--ssh-key <file>', 'client key of ascp, where it is not found by itself'));
}

/** What they say. */
export function transportOf(flags: Record<string, unknown>): {
  transport: TransportChoice;
  ascp: string | undefined;
  sshKey: string | undefined;
} {
  const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : undefined);
  return { transport: flags['transport'] as TransportChoice, ascp: text('ascp'), sshKey: text('sshKey') };
}
