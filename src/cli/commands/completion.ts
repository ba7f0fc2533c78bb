/** `carrel completion SHELL`: a small script that asks `carrel __complete` for every word. */
import { CarrelError } from '../../errors.ts';
import type { CommandSpec } from '../command.ts';
import { write } from '../terminal.ts';

/**
 * Scripts by shell. Each hands over the words so far without their quotation marks, the one under the cursor last, and
 * takes one candidate per line; a line that begins with a tab asks for something of the shell (`files`, `nospace`).
 */
const SCRIPTS: Record<string, string> = {
  bash: `# carrel completion bash >> ~/.bashrc
_carrel() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line word quote='' char last='' state='' any='' lead=''
  local -a words=() found=()
  COMPREPLY=()
  # Bash hands over words with their quotation marks, cut at : and =; the line is taken apart anew.
  line="\${COMP_LINE:0:COMP_POINT}"
  while [ -n "$line" ]; do
    char="\${line:0:1}"; line="\${line:1}"
    if [ "$state" = "'" ]; then
      if [ "$char" = "'" ]; then state=''; else last+="$char"; fi
    elif [ "$char" = '\\' ] && [ -n "$line" ]; then last+="\${line:0:1}"; line="\${line:1}"; any=1
    elif [ "$state" = '"' ]; then
      if [ "$char" = '"' ]; then state=''; else last+="$char"; fi
    elif [ "$char" = "'" ] || [ "$char" = '"' ]; then state="$char"; any=1
    elif [ "$char" = ' ' ] || [ "$char" = $'\t' ]; then
      if [ -n "$last$any" ]; then words+=("$last"); last=''; any=''; fi
    else last+="$char"; any=1
    fi
  done
  words+=("$last")
  # What stands before the last : or = of an unquoted word is no part of what bash replaces.
  if [ -z "$state" ] && [ "$cur" != "\${cur#[=:]}" -o "$last" != "\${last#*[=:]}" ]; then
    word="\${last##*[\${COMP_WORDBREAKS//[!=:]/}]}"; lead="\${last%"$word"}"
  fi
  while IFS= read -r word; do
    case "$word" in
      $'\tfiles')
        while IFS= read -r word; do found+=("$word"); done < <(compgen -f -- "$last")
        compopt -o filenames 2>/dev/null ;;
      $'\tnospace') compopt -o nospace 2>/dev/null ;;
      $'\t'*) ;;
      *) found+=("$word") ;;
    esac
  done < <(carrel __complete "\${words[@]:1}" 2>/dev/null)
  for word in "\${found[@]}"; do
    word="\${word#"$lead"}"
    if [ -z "$state" ] && ! compopt 2>/dev/null | grep -q -e '-o filenames'; then printf -v word '%q' "$word"; fi
    COMPREPLY+=("$word")
  done
}
complete -F _carrel carrel
`,
  zsh: `#compdef carrel
# carrel completion zsh > "\${fpath[1]}/_carrel"
_carrel() {
  local -a found space
  local line files=''
  while IFS= read -r line; do
    case "$line" in
      $'\tfiles') files=1 ;;
      $'\tnospace') space=(-S '') ;;
      $'\t'*) ;;
      *) found+=("$line") ;;
    esac
  done < <(carrel __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)
  (( $#found )) && compadd -M 'm:{a-zA-Z}={A-Za-z}' $space -- "\${found[@]}"
  [ -n "$files" ] && _files
}
if [ "$funcstack[1]" = _carrel ]; then _carrel "$@"; else compdef _carrel carrel; fi
`,
  fish: `# carrel completion fish > ~/.config/fish/completions/carrel.fish
function __carrel_complete
  set -l words (commandline -opc)
  set -l last (commandline -ct)
  # The word under the cursor still has its quotation marks and backslashes.
  switch $last
    case '"*' "'*"
      set last (string sub -s 2 -- $last)
    case '*'
      set last (string unescape -- $last; or echo $last)
  end
  for line in (carrel __complete $words[2..-1] "$last" 2>/dev/null)
    switch $line
      case \\tfiles
        __fish_complete_path "$last"
      case \\t'*'
      case '*'
        printf '%s\\n' $line
    end
  end
end
complete -c carrel -f -a '(__carrel_complete)'
`,
  powershell: `# carrel completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName carrel -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { if ($_.Value) { $_.Value } else { $_.ToString() } })
  if ($word -eq '') { $words += '' }
  carrel __complete @words 2>$null | Where-Object { -not $_.StartsWith("\`t") } | ForEach-Object {
    $text = if ($_ -match '[\\s''"(){};,|&$]') { "'" + $_.Replace("'", "''") + "'" } else { $_ }
    [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
  }
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
