/** `carrel completion SHELL`: a small script that asks `carrel __complete` for every word. */
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { write } from '../terminal.ts';

/** Scripts by shell. Each hands over the words so far, the one under the cursor last, and takes one candidate per line. */
const SCRIPTS: Record<string, string> = {
  bash: `# carrel completion bash >> ~/.bashrc
_carrel() {
  local IFS=$'\\n'
  COMPREPLY=($(carrel __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ "\${#COMPREPLY[@]}" = 0 ] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _carrel carrel
`,
  zsh: `#compdef carrel
# carrel completion zsh > "\${fpath[1]}/_carrel"
_carrel() {
  local -a candidates
  candidates=("\${(@f)$(carrel __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [ -n "$candidates" ]; then compadd -- $candidates; else _files; fi
}
compdef _carrel carrel
`,
  fish: `# carrel completion fish > ~/.config/fish/completions/carrel.fish
function __carrel_complete
  set -l words (commandline -opc) (commandline -ct)
  carrel __complete $words[2..-1] 2>/dev/null
end
complete -c carrel -a '(__carrel_complete)'
`,
  powershell: `# carrel completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName carrel -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $words += '' }
  carrel __complete @words 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`,
};

/** `carrel completion`. */
export const spec: CommandSpec = {
  name: 'completion',
  summary: 'completion script for a shell',
  examples: ['carrel completion bash >> ~/.bashrc', 'carrel completion zsh > "${fpath[1]}/_carrel"'],
  exitCodes: [0, 2],
  define(command) {
    command.argument('<shell>', 'bash, zsh, fish or powershell');
  },
  async run(run, [shell = '']) {
    const script = SCRIPTS[shell];
    if (script === undefined) {
      throw new CarrelError('usage', `no completion for the shell ${JSON.stringify(shell)}`, {
        item: shell,
        next: `carrel completion ${Object.keys(SCRIPTS).join('|')}`,
      });
    }
    await write(run.terminal.out, script);
    return undefined;
  },
};
